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
}
