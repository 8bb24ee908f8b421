import Domain
import Policy
import Testing

@Suite("a live tree is guarded by the gate's own names")
struct GuardingRuleTests {
    /// A path that the rule's pattern matches: plain names, in odd case.
    private static func example(_ rule: GateRule) -> RelativePath? {
        guard case .path(let pattern) = rule.subject else { return nil }
        var text = Substring(pattern.description)
        if text.hasSuffix("/**") { text = text.dropLast(3) }
        let path = text.hasPrefix("/") ? String(text.dropFirst()) : "deep/er/" + text
        return RelativePath(path.replacing("*", with: "q").uppercased())
    }

    /// As a walk from the root down asks: the first answer stands for all below.
    private static func isGuarded(_ path: RelativePath) -> Bool {
        var current = RelativePath.root
        return path.components.contains { name in
            current = current.appending(name) ?? current
            return GateRules.guardingRule(for: current) != nil
        }
    }

    @Test func everyNameThatIsAskedAboutOrDeniedIsGuarded() throws {
        let rules = GateRules.all.filter { Self.example($0) != nil }
        #expect(rules.count > 400)
        for rule in rules where rule.level >= .ask {
            let path = try #require(Self.example(rule))
            #expect(Self.isGuarded(path), "\(rule.pattern): \(path)")
        }
    }

    @Test(arguments: ["src/main.c", "Makefile", "package.json", "docs/readme.md", "-x", "a/b/c", ".env.example"])
    func ordinaryNamesAreFree(_ text: String) throws {
        #expect(!Self.isGuarded(try #require(RelativePath(text))))
    }

    /// A hidden name that is shown, since git tracks it, is at least not changed.
    @Test(arguments: [".env", "a/server.key", "x/.aws/credentials", "vscode\\.vscode", ".vscode."])
    func secretsAndDisguisesAreGuarded(_ text: String) throws {
        #expect(Self.isGuarded(try #require(RelativePath(text))))
    }
}
