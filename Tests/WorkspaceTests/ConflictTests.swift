import Domain
import Foundation
import Testing
import Workspace

@Suite("What was changed outside is never overwritten", .enabled(if: overlayWorks, "no overlay can be mounted here"))
struct ConflictTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let inside: String
        let outside: String
        let conflicts: [String]
        var testDescription: String { "\(inside) | \(outside)" }
    }

    static let cases: [Case] = [
        Case(inside: "printf 1 >f", outside: "printf 2 >f", conflicts: ["changed-outside f"]),
        Case(inside: "printf 1 >f", outside: "printf 2 >g", conflicts: []),
        Case(inside: "printf 1 >f", outside: "printf 1 >f", conflicts: []),
        Case(inside: "printf 1 >f", outside: "chmod 600 f", conflicts: ["changed-outside f"]),
        Case(inside: "printf 1 >f", outside: "touch -d 2001-01-01 f", conflicts: ["changed-outside f"]),
        Case(inside: "printf 1 >f", outside: "rm f", conflicts: ["vanished-outside f"]),
        Case(inside: "printf 1 >f", outside: "rm f; ln -s /etc/passwd f", conflicts: ["changed-outside f"]),
        Case(inside: "printf 1 >f", outside: "mv g f", conflicts: ["changed-outside f"]),
        Case(inside: "rm f", outside: "printf 2 >f", conflicts: ["changed-outside f"]),
        Case(inside: "rm f", outside: "rm f", conflicts: []),
        Case(inside: "rm -r d", outside: "printf 2 >d/new", conflicts: ["appeared-outside d/new"]),
        Case(inside: "rm -r d", outside: "printf 2 >d/x", conflicts: ["changed-outside d/x"]),
        Case(inside: "chmod 700 d", outside: "chmod 711 d", conflicts: ["changed-outside d"]),
        Case(inside: "chmod 700 d", outside: "printf 2 >d/new", conflicts: []),
        Case(inside: "printf 1 >n", outside: "printf 2 >n", conflicts: ["appeared-outside n"]),
        Case(inside: "printf 1 >n", outside: "printf 1 >n", conflicts: []),
        Case(inside: "mkdir n; printf 1 >n/a", outside: "mkdir n; printf 2 >n/b", conflicts: []),
        Case(inside: "mkdir n; printf 1 >n/a", outside: "printf 2 >n", conflicts: ["appeared-outside n"]),
        Case(inside: "printf 1 >d/x", outside: "mv d dd; mkdir d; mv dd/x d/x", conflicts: ["changed-outside d/x"]),
        Case(inside: "printf 1 >d/new", outside: "mv d dd; ln -s dd d", conflicts: ["changed-outside d/new"]),
        Case(inside: "printf 1 >d/x", outside: "rm -r d", conflicts: ["vanished-outside d/x"]),
        Case(inside: "printf 1 >d/e/new", outside: "mv d dd; mkdir -p d/e", conflicts: ["changed-outside d/e/new"]),
    ]

    private func check(_ item: Case, _ choice: Workspace.Choice) throws {
        let bench = try Bench()
        try bench.outside("printf a >f; printf b >g; mkdir -p d/e; printf c >d/x; printf d >d/e/y")
        let plan = try bench.prepare(choice)
        try bench.inside(plan, item.inside)
        let set = try plan.listChanges(limits: ResourceLimits())
        try bench.outside(item.outside)
        let report = try CommitGate(plan, limits: ResourceLimits()).judge(set, inspector: NoInspector())
        #expect(report.conflictLines == item.conflicts)
        let again = try bench.judge(plan)
        #expect(
            again.conflictLines.isEmpty == item.conflicts.isEmpty,
            "listed after the change outside: \(again.conflictLines)"
        )
        let before = try bench.picture()
        if item.conflicts.isEmpty {
            try bench.perform(set, plan)
        } else {
            #expect(throws: WorkspaceError.self) { try bench.perform(set, plan) }
            #expect(try bench.picture() == before)
        }
    }

    @Test(arguments: cases) func overlay(_ item: Case) throws { try check(item, .overlay) }

    @Test(arguments: cases) func copy(_ item: Case) throws { try check(item, .copy(reason: nil)) }

    @Test func aProjectThatWasReplacedIsRefused() throws {
        let bench = try Bench()
        try bench.outside("printf a >f")
        let plan = try bench.prepare()
        try bench.inside(plan, "printf 1 >f")
        let set = try plan.listChanges(limits: ResourceLimits())
        try Bench.shell("mv project p2; mkdir project; mv p2/.bailey project/; printf a >project/f", in: bench.root)
        #expect(throws: WorkspaceError.self) { try bench.perform(set, plan) }
    }
}
