import Foundation
import TestSupport
import Testing

/// A small agent, which asks a scripted provider under its real name what to do.
@Suite("an agent works behind the wall, and its key is nowhere inside")
struct AgentClientTests {
    /// Reads, edits, tests and commits; the held step is answered when everything was searched.
    private static let work = [
        "cat sum.py; printenv | grep _API_KEY > seen.txt",
        "sed -i 's/a - b/a + b/' sum.py",
        "python3 -m unittest -q test_sum.py 2>&1 && git add sum.py && git commit -qm 'Add, and do not subtract'",
    ]

    private func makeProject(_ agents: AgentYard) throws {
        try agents.yard.makeRepository([
            "sum.py": "def add(a, b):\n    return a - b\n",
            "test_sum.py": """
            import unittest, sum
            class Test(unittest.TestCase):
                def test(self): self.assertEqual(sum.add(2, 2), 4)
            """,
        ])
        try agents.script(Self.work, holdingAt: 2)
    }

    @Test("a key that is passed inside is found by the same search", arguments: TestIdentity.available)
    func control(_ identity: TestIdentity) throws {
        let agents = try AgentYard(identity)
        try makeProject(agents)
        var found: [String] = []
        let words = ["--env", "ANTHROPIC_API_KEY=" + agents.key, "--"] + AgentYard.agent("anthropic", "--stream")
        let result = try agents.run(words) { process in
            let places = ["memory:\(process)", "view:\(process)", "tree:\(agents.yard.bailey)"]
            found = try agents.search(["key": agents.key], places)
        }
        #expect(result.status == 0 && result.stdout.contains("that is all"), "\(result.summary)")
        for place in ["key in environ of ", "key in memory of ", "key in file /proc/", "/upper/seen.txt"] {
            #expect(found.contains { $0.contains(place) }, "\(place): \(found)")
        }
    }

    @Test("under its real name, each dialect carries the key outside alone", arguments: TestIdentity.available)
    func termination(_ identity: TestIdentity) throws {
        for (dialect, isStreamed) in [("anthropic", true), ("chat", false), ("responses", true)] {
            let agents = try AgentYard(identity)
            try makeProject(agents)
            let (variable, host) = Self.names(dialect)
            let agent = isStreamed ? AgentYard.agent(dialect, "--stream") : AgentYard.agent(dialect)
            let words = ["--secret", "\(variable)=\(host)", "--"] + agent
            try works(agents, words, variable)
        }
    }

    @Test("by the base URL, the same", arguments: TestIdentity.available)
    func gateway(_ identity: TestIdentity) throws {
        for (dialect, provider) in [("anthropic", "anthropic"), ("chat", "openai"), ("responses", "openai")] {
            let agents = try AgentYard(identity)
            try makeProject(agents)
            let words = ["--model-provider", provider, "--"] + AgentYard.agent(dialect, "--stream")
            try works(agents, words, Self.names(dialect).variable)
            let log = try agents.yard.bailey(["egress", "log", "--json", "last"])
            #expect(log.stdout.contains(#""door":"gateway""#), "\(log.summary)")
        }
    }

    /// Runs the agent to its end, and looks for the key in every place, and for its placeholder as a control.
    private func works(_ agents: AgentYard, _ words: [String], _ variable: String) throws {
        var found: [String] = []
        var placeholder = ""
        let result = try agents.run(words, with: [variable: agents.key]) { process in
            placeholder = try agents.placeholder(variable)
            let needles = ["key": agents.key, "placeholder": placeholder]
            found = try agents.search(needles, ["memory:\(process)", "view:\(process)"])
        }
        #expect(result.status == 0 && result.stdout.contains("that is all"), "\(result.summary)")
        let yard = agents.yard
        try yard.write(result.stdout, to: "home/output")
        let applied = try yard.bailey(["changes", "apply", "--yes", "last"])
        #expect(applied.status == 0, "\(applied.summary)")
        let log = try yard.outside("git log --format=%s -1 && git status --short sum.py && python3 sum.py")
        #expect(log.stdout == "Add, and do not subtract\n", "\(log.summary)")
        let trees = ["project", "state", "home", "config"].flatMap { name in
            ["tree", "names"].map { "\($0):\(yard.path)/\(name)" }
        }
        found += try agents.search(["key": agents.key, "placeholder": placeholder], trees)
        #expect(found.filter { $0.hasPrefix("key") } == [], "\(result.summary)")
        for place in ["environ of", "memory of", "file /proc/", "file \(yard.project)/seen.txt"] {
            #expect(found.contains { $0.hasPrefix("placeholder in \(place)") }, "\(place): \(found)")
        }
        let requests = try agents.requests()
        #expect(requests.count == Self.work.count + 1)
        #expect(requests.allSatisfy { $0.text("credential") == "bound" }, "\(requests)")
    }

    /// The variable that holds an agent's key, and the host that it is for.
    private static func names(_ dialect: String) -> (variable: String, host: String) {
        dialect == "anthropic"
            ? ("ANTHROPIC_API_KEY", AgentYard.anthropic) : ("OPENAI_API_KEY", AgentYard.openAI)
    }
}
