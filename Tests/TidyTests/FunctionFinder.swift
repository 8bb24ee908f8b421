/// Finds functions, initialisers, subscripts and computed properties in scanned code, and counts their lines.
struct FunctionFinder {
    struct Function {
        let name: String
        let line: Int
        let lines: Int
    }

    private static let modifiers = #"(?:@\w+(?:\([^)]*\))?|[a-z]+(?:\([a-z]+\))?)\s+"#
    private static let declaration = Pattern(
        #"^\s*(?:"# + modifiers + #")*(func\s+[^\s(<]+|init[?!]?(?=\s*[(<])|deinit\b|subscript(?=\s*[(<]))"#
    )
    private static let property = Pattern(#"^\s*(?:"# + modifiers + #")*(var\s+\w+)\s*:[^=]*\{\s*$"#)
    /// A declaration without a body, as in a protocol, ends where the next begins.
    private static let next = Pattern(
        #"^\s*(?:"# + modifiers
            + #")*(?:func|init|deinit|subscript|var|let|case|struct|enum|class|protocol|extension)\b"#
    )

    let functions: [Function]

    init(_ code: [String]) {
        functions = code.indices.compactMap { Self.function(at: $0, in: code) }
    }

    private static func function(at start: Int, in code: [String]) -> Function? {
        guard
            let name = declaration.capture(code[start], group: 1) ?? property.capture(code[start], group: 1),
            let end = end(from: start, in: code)
        else { return nil }
        return Function(name: name, line: start + 1, lines: end - start + 1)
    }

    /// The line of the brace that closes the body; nil if there is no body.
    private static func end(from start: Int, in code: [String]) -> Int? {
        var parentheses = 0
        var braces = 0
        for index in code.indices[start...] {
            if index > start, parentheses == 0, braces == 0, next.matches(code[index]) { return nil }
            for character in code[index] {
                switch character {
                case "(", "[": parentheses += braces == 0 ? 1 : 0
                case ")", "]": parentheses -= braces == 0 ? 1 : 0
                case "{" where parentheses == 0: braces += 1
                case "}" where parentheses == 0:
                    braces -= 1
                    if braces < 0 { return nil }
                    if braces == 0 { return index }
                default: break
                }
            }
        }
        return nil
    }
}
