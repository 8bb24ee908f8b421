import Domain
import Glibc
import Testing
import Workspace

@Suite("What a setting's link leads to is the setting", .enabled(if: overlayWorks, "no overlay can be mounted here"))
struct SettingLinkTests {
    struct Attack: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let outside: String
        let inside: String
        let path: String
        let rule: String
        let level: Verdict

        init(
            _ name: String,
            _ outside: String,
            _ inside: String,
            _ path: String,
            _ rule: String = "agent-settings",
            _ level: Verdict = .ask
        ) {
            testDescription = name
            self.outside = outside
            self.inside = inside
            self.path = path
            self.rule = rule
            self.level = level
        }
    }

    @Test(arguments: [
        Attack("a file", "mkdir lib; echo a >lib/y; ln -s lib/y AGENTS.md", "echo b >lib/y", "lib/y"),
        Attack("its mode", "mkdir lib; echo a >lib/y; ln -s lib/y AGENTS.md", "chmod +x lib/y", "lib/y"),
        Attack("its removal", "mkdir lib; echo a >lib/y; ln -s lib/y AGENTS.md", "rm lib/y", "lib/y"),
        Attack(
            "within a settings directory",
            "mkdir lib .claude; echo a >lib/s.json; ln -s ../lib/s.json .claude/settings.json",
            "echo b >lib/s.json",
            "lib/s.json"
        ),
        Attack(
            "a directory",
            "mkdir -p sd/hk .claude; ln -s ../sd/hk .claude/hooks",
            "mkdir sd/hk/deep; echo b >sd/hk/deep/run.sh",
            "sd/hk/deep/run.sh"
        ),
        Attack(
            "a link in the directory that it leads to",
            "mkdir sd other .claude; echo a >other/r; ln -s ../other/r sd/r; ln -s ../sd .claude/hooks",
            "echo b >other/r",
            "other/r"
        ),
        Attack("a chain's middle", "echo a >y; ln -s y b; ln -s b AGENTS.md", "rm b; echo b >b", "b"),
        Attack("a chain's end", "echo a >y; ln -s y b; ln -s b AGENTS.md", "echo b >y", "y"),
        Attack(
            "an absolute link",
            "mkdir lib; echo a >lib/y; ln -s \"$PWD/lib/y\" AGENTS.md",
            "echo b >lib/y",
            "lib/y"
        ),
        Attack("what is not there yet", "ln -s lib/y AGENTS.md", "mkdir lib; echo b >lib/y", "lib/y"),
        Attack(
            "a directory above",
            "mkdir lib other; echo a >lib/y; echo b >other/y; ln -s lib/y AGENTS.md",
            "rm -r lib; ln -s other lib",
            "lib"
        ),
        Attack("the project itself", "mkdir x; ln -s .. x/.claude", "echo b >settings.json", "settings.json"),
        Attack("a policy", "echo 'version: 1' >c; ln -s c bailey.yml", "echo b >c", "c", "bailey-policy", .deny),
        Attack(
            "a directory of settings that has no rule itself",
            "mkdir -p gh/workflows; ln -s gh .github",
            "echo b >gh/workflows/ci.yml",
            "gh/workflows/ci.yml",
            "ci-settings"
        ),
        Attack(
            "that directory replaced",
            "mkdir gh; ln -s gh .github",
            "rmdir gh; mkdir -p a/workflows; echo b >a/workflows/ci.yml; ln -s a gh",
            "gh",
            "agent-settings"
        ),
        Attack(
            "a new link where settings are looked for",
            "true",
            "mkdir -p gh/workflows; echo b >gh/workflows/ci.yml; ln -s gh .github",
            ".github",
            "agent-settings"
        ),
    ])
    func judgedByTheLinksRule(attack: Attack) throws {
        let bench = try Bench()
        try bench.outside(attack.outside + "; mkdir more; echo a >more/ordinary; ln -s more/ordinary plain")
        let plan = try bench.prepare()
        try bench.inside(plan, attack.inside + "; echo b >more/ordinary")
        let report = try bench.judge(plan)
        let found = report.findings.first { $0.path.description == attack.path }
        #expect(found?.rule.rawValue == attack.rule, "\(report.findings)")
        #expect(found?.level == attack.level && found?.reason.contains("link") == true)
        #expect(!report.isApplicableUnasked)
        if attack.testDescription != "the project itself" {
            #expect(!report.findings.contains { $0.path.description == "more/ordinary" })
        }
    }

    @Test func anOrdinaryFileBesideTheSettingsIsOrdinary() throws {
        let bench = try Bench()
        try bench.outside("mkdir gh; echo a >gh/notes; ln -s gh .github; ln -s gh docs")
        let plan = try bench.prepare()
        try bench.inside(plan, "echo b >gh/notes")
        #expect(try bench.judge(plan).isApplicableUnasked)
    }

    @Test func theStoredIndexKnowsTheLinks() throws {
        let bench = try Bench()
        try bench.outside("mkdir -p lib a/b; echo a >lib/y; ln -s ../../lib/y a/b/AGENTS.md")
        // Longer than a directory counts as unsettled.
        usleep(2_300_000)
        _ = try bench.prepare()
        let second = try Bench(existing: bench.root, number: 2)
        let plan = try second.prepare()
        try second.inside(plan, "echo b >lib/y")
        #expect(try second.judge(plan).findings.map(\.path.description) == ["lib/y"])
        let again = try WorkspacePlan.load(second.stored)
        #expect(try second.judge(again).verdict == .ask)
    }

    @Test func moreThanCanBeLookedAtIsAskedAbout() throws {
        let bench = try Bench()
        try bench.outside("mkdir many; ln -s many .claude; cd many; seq 20001 | xargs touch")
        let plan = try bench.prepare()
        try bench.inside(plan, "echo b >ordinary")
        let report = try bench.judge(plan)
        #expect(report.findings.map(\.rule.rawValue) == ["link-not-followed"])
        #expect(!report.isApplicableUnasked)
    }
}
