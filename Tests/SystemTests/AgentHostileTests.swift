import Foundation
import TestSupport
import Testing

/// A model that keeps its agent busy.
@Suite("a model that does harm is stopped, and one line says so")
struct AgentHostileTests {
    private static let variable = "ANTHROPIC_API_KEY"

    @Test("a budget ends a model that does not come to an end")
    func budget() throws {
        let agents = try AgentYard()
        try agents.yard.makeRepository()
        try agents.script((0..<30).map { "echo round \($0); seq 1 300" })
        let words = ["run", "--tokens", "20000", "--model-provider", "anthropic", "--"]
        let result = try agents.yard.bailey(
            words + AgentYard.agent("anthropic", "--stream"),
            with: [Self.variable: agents.key]
        )
        #expect(result.status == 1 && result.stdout.contains("model-budget"), "\(result.summary)")
        let lines = result.stderr.split(separator: "\n").filter { $0.contains("[model-budget]") }
        #expect(lines.count == 1, "\(result.stderr)")
        #expect((1..<30).contains(try agents.requests().count))
    }
}
