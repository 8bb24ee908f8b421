/// A pattern for a path: names with `/` between them, found at any depth.
///
/// A leading `/` ties it to the project's root, a trailing `/**` takes in what the name holds and all below it.
package struct PathPattern: Sendable, Hashable, CustomStringConvertible {
    package let description: String
    let names: [NamePattern]
    let isAtRoot: Bool
    let reachesBelow: Bool

    /// - Precondition: the text comes from a table in the source.
    init(_ text: StaticString) {
        description = text.description
        var rest = Substring(description)
        isAtRoot = rest.hasPrefix("/")
        if isAtRoot { rest = rest.dropFirst() }
        reachesBelow = rest.hasSuffix("/**")
        if reachesBelow { rest = rest.dropLast(3) }
        names = rest.split(separator: "/", omittingEmptySubsequences: false).map { NamePattern($0) }
        precondition(names.allSatisfy { $0.literal != [] }, "a path pattern has no empty name: \(description)")
    }

    /// True if the names, from the root down, end in this pattern or lie below it where it reaches below.
    func matches(_ path: [[UInt8]]) -> Bool {
        guard path.count >= names.count else { return false }
        let last = path.count - names.count
        let starts = isAtRoot ? 0...0 : (reachesBelow ? 0...last : last...last)
        guard reachesBelow || !isAtRoot || last == 0 else { return false }
        return starts.contains { start in
            zip(names, path[start...]).allSatisfy { pattern, name in pattern.matches(name) }
        }
    }
}
