import Domain
import Files
import Glibc
import Testing
import Workspace

@Suite(
    "What is mounted inside the project is not in the view, nor is what lies beneath",
    .enabled(if: geteuid() == 0 && overlayWorks, "only root can mount here")
)
struct MountTests {
    private static let bind: UInt = 4096

    /// Binds one path onto another while `body` runs; cancels the test where that is not allowed.
    private func bound(_ source: String, _ target: String, _ body: () throws -> Void) throws {
        guard mount(source, target, nil, Self.bind, nil) == 0 else { try Test.cancel("nothing can be mounted here") }
        defer { umount2(target, Int32(MNT_DETACH)) }
        try body()
    }

    @Test("a bound directory or file", arguments: [("other", "x"), ("other/f", "file"), ("other", "deep/a b\\c")])
    func found(source: String, target: String) throws {
        let bench = try Bench()
        try bench.outside("mkdir -p x other 'deep/a b\\c'; echo s >x/.env; echo o >other/f; echo beneath >file")
        _ = try bench.prepare()
        let second = try Bench(existing: bench.root, number: 2)
        try bound(bench.project + "/" + source, bench.project + "/" + target) {
            let error = #expect(throws: WorkspaceError.self) { try second.prepare(.overlay) }
            #expect(error?.message.contains("mounted at") == true)
            let plan = try second.prepare(.auto)
            #expect(plan.mode == .copy)
            #expect(plan.copyReason?.hasPrefix("something is mounted at ") == true)
            try second.inside(plan, "test ! -e '\(target)'; test -e other/f; mkdir -p deep; echo n >'\(target)'")
            let report = try second.judge(plan)
            #expect(!report.conflicts.isEmpty && report.conflicts.allSatisfy { $0.cause == .maskedPath })
        }
        let third = try Bench(existing: bench.root, number: 3)
        #expect(try third.prepare(.auto).mode == .overlay)
    }

    @Test func aMountOnSomethingHiddenChangesNothing() throws {
        let bench = try Bench()
        try bench.outside("echo s >.env; echo o >other")
        try bound(bench.project + "/other", bench.project + "/.env") {
            let plan = try bench.prepare(.auto)
            #expect(plan.mode == .overlay)
            try bench.inside(plan, "test ! -e .env")
        }
    }

    @Test func aMountThatAnotherOneCoversShowsNowhere() throws {
        let bench = try Bench()
        try bench.outside("mkdir -p under/p/x cover/p")
        let under = bench.project + "/under"
        try bound(bench.project + "/cover", under + "/p/x") {
            let shown = try MountTable().places(below: Directory(trustedPath: under))
            #expect(shown == [Array("p/x".utf8)])
            try bound(bench.project + "/cover", under) {
                let covered = try MountTable().places(below: Directory(trustedPath: under + "/p"))
                #expect(covered.isEmpty)
            }
        }
    }
}
