import Testing

@Suite("every promise names what keeps it")
struct GuaranteesTests {
    /// How many statements each group has; together 383.
    static let counts = ["S0": 56, "S1": 113, "S2": 80, "S3": 32, "S4": 102]

    private static let range = Pattern(#"^(S\d)\.(\d+)(?:–(\d+))?$"#)
    private static let testName = Pattern(#"@(?:Test|Suite)\(\s*"([^"]+)""#)
    private static let testFunction = Pattern(#"@Test\b[^{]*?\bfunc\s+(\w+)"#)
    private static let checkName = Pattern(#"\.(?:ok|warning|error)\(\s*"([^"\\]+)""#)

    /// The identifiers in the first column of `docs/requirements.md`, ranges written out.
    static func statements(in text: String) -> [String] {
        text.split(separator: "\n").flatMap { line in
            (MarkdownTable.cells(String(line)).first ?? "").split(separator: ",").flatMap { part -> [String] in
                let part = part.trimmingPrefix(" ").description
                guard let group = range.capture(part, group: 1),
                    let first = range.capture(part, group: 2).flatMap({ Int($0) })
                else { return [] }
                let last = range.capture(part, group: 3).flatMap { Int($0) } ?? first
                return first <= last ? (first...last).map { "\(group).\($0)" } : []
            }
        }
    }

    static var testNames: Set<String> {
        let texts = SourceTree.files.filter { $0.isSwift && $0.path.hasPrefix("Tests/") }.map {
            $0.lines.joined(separator: "\n")
        }
        return Set(texts.flatMap { testName.captures($0, group: 1) + testFunction.captures($0, group: 1) })
    }

    static var doctorChecks: Set<String> {
        let files = SourceTree.files.filter { $0.isProductSwift && $0.path.contains("/Doctor") }
        return Set(files.flatMap { checkName.captures($0.lines.joined(separator: "\n"), group: 1) })
    }

    static var sections: Set<String> {
        Set(
            SourceTree.files.filter { $0.path.hasSuffix(".md") }.flatMap { file in
                file.lines.filter { $0.hasPrefix("#") }.map { line in
                    file.path + "#" + String(line.drop { $0 == "#" }.dropFirst())
                }
            }
        )
    }

    @Test("the list of statements is whole and has no doubles")
    func listIsWhole() throws {
        let found = Self.statements(in: try #require(SourceTree.text("docs/requirements.md")))
        let expected = Self.counts.flatMap { group, count in (1...count).map { "\(group).\($0)" } }
        #expect(Set(found) == Set(expected))
        let doubled = Dictionary(grouping: found, by: { $0 }).filter { $0.value.count > 1 }.keys.sorted()
        #expect(doubled == [])
    }

    @Test("everything that the guarantees name exists")
    func namesExist() throws {
        let text = try #require(SourceTree.text("docs/guarantees.md"))
        let statements = Set(Self.statements(in: try #require(SourceTree.text("docs/requirements.md"))))
        let guarantees = Guarantees(text)
        #expect(guarantees.rows.count > 0)
        let faults = guarantees.faults(
            statements: statements,
            tests: Self.testNames,
            checks: Self.doctorChecks,
            sections: Self.sections
        )
        #expect(faults == [])
    }

    @Test("a name that does not exist is found")
    func canFail() {
        let text = """
            | Statement | What | Kept by |
            |---|---|---|
            | S0.1, S9.9 | a | test: there; test: gone |
            | S0.1 | b | doctor: gone |
            | S0.1 | c | section: a.md#Gone; section: a.md#There |
            | S0.1 | d | hope |
            """
        let faults = Guarantees(text).faults(
            statements: ["S0.1"],
            tests: ["there"],
            checks: [],
            sections: ["a.md#There"]
        )
        #expect(faults.count == 5, "\(faults)")
    }

    @Test("ranges of statements are written out")
    func expandsRanges() {
        #expect(Self.statements(in: "| S0.1–3, S2.9 | text |\n| nothing | S1.1 |") == ["S0.1", "S0.2", "S0.3", "S2.9"])
    }
}
