import Testing

@Suite("the tree keeps the house rules")
struct RuleTests {
    @Test("no file breaks a rule", arguments: Rule.all)
    func holds(rule: Rule) {
        let findings = SourceTree.files.flatMap { rule.findings(in: $0) }
        #expect(findings.isEmpty, "\(findings.map(\.description).joined(separator: "\n"))")
    }

    @Test("every rule refuses what it is there to refuse", arguments: Rule.all)
    func refuses(rule: Rule) {
        #expect(!rule.refuses.isEmpty)
        for sample in rule.refuses {
            #expect(!rule.findings(in: sample).isEmpty, "\(rule.name) let this through: \(sample.text.prefix(200))")
        }
    }

    @Test("every rule lets ordinary text through", arguments: Rule.all)
    func accepts(rule: Rule) {
        for sample in rule.accepts {
            let findings = rule.findings(in: sample)
            #expect(findings.isEmpty, "\(rule.name) refused this: \(sample.text.prefix(200)): \(findings)")
        }
    }

    @Test("the tests see the whole tree")
    func seesTheTree() {
        #expect(SourceTree.paths.contains("Package.swift"))
        #expect(SourceTree.files.filter(\.isProductSwift).count > 20)
        #expect(SourceTree.files.contains { $0.isC })
    }

    @Test("an allowance that nothing uses any more is taken away", arguments: AllowList.all)
    func allowancesAreUsed(allowance: AllowList.Allowance) throws {
        let file = try #require(SourceTree.files.first { $0.path == allowance.path }, "no file \(allowance.path)")
        #expect(file.code.contains { $0.contains(allowance.what) }, "\(allowance.path) has no \(allowance.what)")
        #expect(allowance.reason.count > 20, "the allowance for \(allowance.path) gives no reason")
    }

    @Test("files over 300 lines are pointed out")
    func pointsOutLongFiles() {
        for file in SourceTree.files where file.isSwift && file.lines.count > Rule.fileLinesNoted {
            Issue.record("\(file.path) has \(file.lines.count) lines; look for a second noun in it", severity: .warning)
        }
    }
}

@Suite("the scanner tells code from text")
struct SwiftScannerTests {
    struct Case: Sendable {
        let source: String
        let code: String
    }

    @Test(arguments: [
        Case(source: "a // b!", code: "a      "),
        Case(source: "a /* b /* c */ d */ e", code: "a                   e"),
        Case(source: #"f("x!") + 1"#, code: #"f("  ") + 1"#),
        Case(source: #"f("\(a!)")"#, code: #"f(" (a!)")"#),
        Case(source: #"f("\(g(")"))!")"#, code: #"f(" (g(" ")) ")"#),
        Case(source: ##"f(#"a"b"#)"##, code: ##"f(#"   "#)"##),
        Case(source: "\"\"\"\n a\"b!\n\"\"\" c", code: "\"\"\"\n     \n\"\"\" c"),
        Case(source: #"f("\"!") g"#, code: #"f("   ") g"#),
    ])
    func scans(example: Case) {
        var scanner = SwiftScanner(example.source)
        scanner.scan()
        #expect(String(decoding: scanner.code, as: UTF8.self) == example.code)
    }
}
