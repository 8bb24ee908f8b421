import Testing

/// Comments and documentation.
extension Rule {
    static let prose: [Rule] = [noCommentedCode, noMarks, documented]

    private static let markFileLinesMin = 150

    /// Shapes that are code and hardly ever a sentence.
    private static let codeShapes: [Pattern] = [
        Pattern(#"[{;]\s*$"#),
        Pattern(#"^\s*\}"#),
        Pattern(#"^\s*(?:private |package |static )*(?:let|var)\s+\w+\s*(?::\s*\S+\s*)?="#),
        Pattern(#"^\s*(?:package |private |public |@testable )*import\s+[A-Z]\w*\s*$"#),
        Pattern(#"^\s*(?:return |throw |try |await |if |guard |precondition)?[\w.]+\([^ ]*\)\s*$"#),
        Pattern(#"^\s*(?:private |package |static |mutating )*func\s+\w+\("#),
    ]

    private static let noCommentedCode = Rule(
        name: "no code is commented out",
        appliesTo: { $0.isSwift },
        check: { file in
            file.comments.filter { comment in
                !comment.isDocumentation && codeShapes.contains { $0.matches(comment.text) }
            }.map { file.finding($0.line, "commented-out code; the history keeps it") }
        },
        refuses: [
            Sample("// let a = b"), Sample("// if a {"), Sample("// }"), Sample("// import Foundation"),
            Sample("// return f(a)"), Sample("/* f(a); */"), Sample("// private func a() -> Int"),
        ],
        accepts: [
            Sample("// The kernel returns early here, so nothing is lost."), Sample("// swift-tools-version: 6.2"),
            Sample("// Let it be (see above)."), Sample("/// let a = b"), Sample("f(\"// let a = b\")"),
        ]
    )

    private static let noMarks = Rule(
        name: "a file under \(markFileLinesMin) lines needs no MARK",
        appliesTo: { $0.isSwift },
        check: { file in
            guard file.lines.count < markFileLinesMin else { return [] }
            return file.comments.filter { $0.text.hasPrefix(" MARK:") }.map {
                file.finding($0.line, "MARK in a short file; the order of its parts is enough")
            }
        },
        refuses: [Sample("// MARK: - Helpers\n")],
        accepts: [Sample("// MARK: - Helpers\n" + String(repeating: "let a = 1\n", count: markFileLinesMin))]
    )

    private static let type = Pattern(
        #"^(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:package|public|internal|final|indirect)\s+)*"#
            + #"(struct|enum|class|actor|protocol|typealias)\s+(\w+)"#
    )

    private static let documented = Rule(
        name: "every type that is not private says what it is",
        appliesTo: { $0.isProductSwift },
        check: { file in
            file.code.enumerated().compactMap { offset, line in
                guard let name = type.capture(line, group: 2) else { return nil }
                var above = offset - 1
                while above >= 0, file.lines[above].hasPrefix("@") { above -= 1 }
                let isDocumented = above >= 0 && file.lines[above].hasPrefix("///")
                return isDocumented ? nil : file.finding(offset + 1, "\(name) has no doc comment")
            }
        },
        refuses: [
            Sample("package struct A {}"), Sample("enum B {}"), Sample("// A note.\npackage protocol C {}"),
            Sample("@frozen package struct D {}"),
        ],
        accepts: [
            Sample("/// A thing.\npackage struct A {}"), Sample("private struct B {}"),
            Sample("/// A thing.\n@frozen\npackage struct A {}"), Sample("extension A {\n    enum C {}\n}"),
        ]
    )
}
