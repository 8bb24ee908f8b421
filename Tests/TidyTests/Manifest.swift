import Foundation

/// The targets of Package.swift, read from its text: asking the package manager would start it inside its own test run.
struct Manifest {
    struct Target: Sendable {
        let kind: String
        let name: String
        let dependencies: Set<String>
    }

    private static let start = Pattern(#"^ {8}\.(target|executableTarget|testTarget|systemLibrary|plugin|macro)\("#)
    private static let end = Pattern(#"^ {8}\),?\s*$|\),\s*$"#)
    private static let name = Pattern(#"name:\s*"([^"]+)""#)
    private static let product = Pattern(#"\.product\(name:\s*"([^"]+)",\s*package:\s*"[^"]+"\)"#)
    private static let quoted = Pattern(#""([^"]+)""#)

    let targets: [Target]

    init(_ text: String) {
        var targets: [Target] = []
        var block: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            let code = line.drop { $0 == " " }.hasPrefix("//") ? "" : line
            if Self.start.matches(code) { block = [] }
            block.append(code)
            let isOneLine = block.count == 1 && Self.start.matches(code) && Self.end.matches(code)
            let isLast = block.count > 1 && code.hasPrefix("        )")
            if isOneLine || isLast, let target = Self.target(block) { targets.append(target) }
            if isOneLine || isLast { block = [] }
        }
        self.targets = targets
    }

    private static func target(_ block: [String]) -> Target? {
        let text = block.joined(separator: " ")
        guard let first = block.first, let kind = start.capture(first, group: 1),
            let name = name.capture(text, group: 1)
        else { return nil }
        return Target(kind: kind, name: name, dependencies: dependencies(in: text))
    }

    private static func dependencies(in text: String) -> Set<String> {
        guard let list = text.range(of: "dependencies: [") else { return [] }
        var depth = 1
        let body = text[list.upperBound...].prefix { character in
            if character == "[" { depth += 1 }
            if character == "]" { depth -= 1 }
            return depth > 0
        }
        let products = product.captures(String(body), group: 1)
        let rest = products.reduce(String(body)) { rest, name in
            guard let range = rest.range(of: ".product(name: \"\(name)\""),
                let close = rest[range.upperBound...].firstIndex(of: ")")
            else { return rest }
            return String(rest[..<range.lowerBound]) + String(rest[close...])
        }
        return Set(products).union(quoted.captures(rest, group: 1))
    }
}
