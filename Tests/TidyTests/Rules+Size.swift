import Testing

/// How long things may be.
extension Rule {
    static let fileLinesNoted = 300
    static let fileLinesMax = 500
    static let fileLinesMaxC = 400
    static let functionLinesMax = 60
    static let columnsMax = 120

    static let sizes: [Rule] = [fileSize, fileSizeC, functionSize, columns]

    private static let fileSize = Rule(
        name: "a Swift file or script has at most \(fileLinesMax) lines",
        appliesTo: { $0.isSwift || $0.isScript },
        check: { file in
            file.lines.count > fileLinesMax
                ? [file.finding(file.lines.count, "\(file.lines.count) lines; split it by its nouns")] : []
        },
        refuses: [Sample(String(repeating: "let a = 1\n", count: fileLinesMax + 1))],
        accepts: [Sample(String(repeating: "let a = 1\n", count: fileLinesMax))]
    )

    private static let fileSizeC = Rule(
        name: "a C file has at most \(fileLinesMaxC) lines",
        appliesTo: { $0.isC },
        check: { file in
            file.lines.count > fileLinesMaxC ? [file.finding(file.lines.count, "\(file.lines.count) lines of C")] : []
        },
        refuses: [Sample(String(repeating: "int a;\n", count: fileLinesMaxC + 1), path: "Sources/CLinux/sample.c")],
        accepts: [Sample(String(repeating: "int a;\n", count: fileLinesMaxC), path: "Sources/CLinux/sample.c")]
    )

    private static let functionSize = Rule(
        name: "a function has at most \(functionLinesMax) lines",
        appliesTo: { $0.isSwift && $0.path != "Package.swift" },
        check: { file in
            FunctionFinder(file.code).functions.filter { function in
                function.lines > functionLinesMax
                    && !AllowList.allows(AllowList.longFunctions, file, function.name)
            }.map { file.finding($0.line, "\($0.name) has \($0.lines) lines; give its parts names") }
        },
        refuses: [
            Sample("func long(\n    a: Int\n) {\n" + String(repeating: "    step()\n", count: 58) + "}\n"),
            Sample("init?(a: [Int] = { [1] }()) {\n" + String(repeating: "    step()\n", count: 60) + "}\n"),
            Sample("var long: Int {\n" + String(repeating: "    step()\n", count: 60) + "}\n"),
        ],
        accepts: [
            Sample("func short() {\n" + String(repeating: "    step()\n", count: 58) + "}\n"),
            Sample("protocol P {\n    func a()\n    func b() -> A\n}\n" + String(repeating: "let a = 1\n", count: 90)),
            Sample("func text() {\n    f(\"{\")\n    // {\n}\n" + String(repeating: "let a = 1\n", count: 90)),
        ]
    )

    private static let columns = Rule(
        name: "a line has at most \(columnsMax) columns",
        appliesTo: { $0.isSwift || $0.isC || $0.isScript },
        check: { file in
            file.lines.enumerated().filter { $0.element.count > columnsMax }.map {
                file.finding($0.offset + 1, "\($0.element.count) columns")
            }
        },
        refuses: [Sample(String(repeating: "a", count: columnsMax + 1))],
        accepts: [Sample(String(repeating: "é", count: columnsMax))]
    )
}
