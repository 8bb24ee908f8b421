/// One file as the rules see it.
struct SourceFile: Sendable {
    let path: String
    let lines: [String]
    /// Swift only: the lines with comments and the contents of strings blanked, so that what is left is code.
    let code: [String]
    let comments: [Comment]

    /// The text of one comment line, without its slashes.
    struct Comment: Sendable {
        let line: Int
        let text: String
        let isDocumentation: Bool
    }

    init(path: String, text: String) {
        self.path = path
        lines = Self.split(text)
        if path.hasSuffix(".swift") {
            var scanner = SwiftScanner(text)
            scanner.scan()
            code = Self.split(String(decoding: scanner.code, as: UTF8.self))
            comments = scanner.comments
        } else {
            code = []
            comments = []
        }
    }

    var isSwift: Bool { path.hasSuffix(".swift") }
    var isProductSwift: Bool { isSwift && path.hasPrefix("Sources/") }
    var isC: Bool { path.hasSuffix(".c") || path.hasSuffix(".h") }
    var isScript: Bool { path.hasPrefix("script/") || path.hasPrefix("examples/") || path.hasPrefix(".ci/") }

    func finding(_ line: Int, _ message: String) -> Finding { Finding(path: path, line: line, message: message) }

    private static func split(_ text: String) -> [String] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        return lines
    }
}

/// A place where the tree breaks a rule.
struct Finding: CustomStringConvertible, Sendable {
    let path: String
    let line: Int
    let message: String

    var description: String { "\(path):\(line): \(message)" }
}
