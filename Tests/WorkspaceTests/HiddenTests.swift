import Domain
import Foundation
import Testing
import Workspace

@Suite(
    "Hidden files are absent from the view and safe from it",
    .enabled(if: overlayWorks, "no overlay can be mounted here")
)
struct HiddenTests {
    /// Made at run time, so that no key-shaped text stands in the source.
    static let keyLine = "-----BEGIN " + "PRIVATE" + " KEY-----"

    private func bench() throws -> Bench {
        let bench = try Bench()
        try bench.outside(
            """
            mkdir -p deep/er .ssh plain; printf secret >.env; printf secret >deep/er/.env; printf x >deep/er/f
            printf x >.ssh/id_ed25519; printf '%s\\n' '\(Self.keyLine)' >deep/server.pem; printf cert >plain/cert.pem
            printf y >plain/y
            chmod 750 deep; touch -d 2020-01-01 deep
            """
        )
        return bench
    }

    @Test(arguments: [Workspace.Choice.overlay, .copy(reason: nil)])
    func areAbsent(choice: Workspace.Choice) throws {
        let bench = try bench()
        let plan = try bench.prepare(choice)
        #expect(
            plan.hidden.map(\.description).sorted() == [".bailey", ".env", ".ssh", "deep/er/.env", "deep/server.pem"]
        )
        try bench.inside(
            plan,
            """
            test ! -e .env; test ! -e deep/er/.env; test ! -e .ssh; test ! -e .bailey; test ! -e deep/server.pem
            test -e plain/cert.pem; test "$(stat -c '%a %Y' deep)" = "750 $(date -d 2020-01-01 +%s)"
            test "$(cat deep/er/f)" = x
            """
        )
        #expect(try plan.listChanges(limits: ResourceLimits()).isEmpty)
    }

    @Test("a key is known by its form, whatever wrote it")
    func keyForms() throws {
        let bench = try Bench()
        let forms = [
            "-----BEGIN " + "PGP PRIVATE" + " KEY BLOCK-----", "PuTTY-User-" + "Key-File-3: ssh-ed25519",
            "Bag Attributes\n-----BEGIN " + "ENCRYPTED PRIVATE" + " KEY-----",
        ]
        for (number, form) in forms.enumerated() { try bench.outside("printf -- '\(form)\\n' >key\(number).pem") }
        try bench.outside("printf -- '-----BEGIN CERTIFICATE-----\\n' >cert.pem")
        let plan = try bench.prepare()
        #expect(plan.hidden.map(\.description).sorted() == [".bailey", "key0.pem", "key1.pem", "key2.pem"])
    }

    @Test(arguments: [
        ("printf mine >.env", "masked-path .env"),
        ("rm -r deep", "masked-path deep"),
        ("rm -r deep; printf x >deep", "masked-path deep"),
        ("rm -r deep/er", "masked-path deep/er"),
        ("mkdir .bailey", "masked-path .bailey"),
        ("mkdir -p .ssh; printf x >.ssh/config", "masked-path .ssh"),
        ("rm -r deep; mkdir -p deep/er; printf x >deep/er/f", "masked-path deep"),
    ])
    func areNeverTouched(script: String, conflict: String) throws {
        let bench = try bench()
        let plan = try bench.prepare()
        try bench.inside(plan, script)
        let report = try bench.judge(plan)
        #expect(report.conflictLines.contains(conflict), "\(report.conflictLines)")
        let before = try bench.picture()
        #expect(throws: WorkspaceError.self) { try bench.perform(report.changeSet, plan) }
        #expect(try bench.picture() == before)
    }

    @Test func madeAndRemovedAgainIsNoChange() throws {
        let bench = try bench()
        let plan = try bench.prepare()
        try bench.inside(plan, "printf mine >.env; rm .env; mkdir .ssh; rmdir .ssh")
        let report = try bench.judge(plan)
        #expect(report.changeSet.isEmpty)
        #expect(report.conflictLines == [])
    }

    @Test func aTrackedUnchangedFileIsVisible() throws {
        let bench = try bench()
        try bench.outside("mkdir .git")
        let source = ScriptedTracking(bench, ["deep/er/.env": .unchanged, ".env": .changed])
        let plan = try Workspace(
            bench.stored,
            stateDirectory: bench.state,
            limits: ResourceLimits(),
            time: MachineTime()
        ).prepare(.overlay, tracked: source)
        #expect(!plan.hidden.map(\.description).contains("deep/er/.env"))
        #expect(source.takeAsked() == [".env", "deep/er/.env", "deep/server.pem"])
        try bench.inside(plan, "test -e deep/er/.env; test ! -e .env")
    }

    /// The walk believes its cache only where nothing can have changed: every way to change the answer is tried.
    @Test(arguments: [
        ("printf x >plain/.env", "plain/.env", true),
        ("rm .env", ".env", false),
        ("mv plain/y plain/.env", "plain/.env", true),
        ("printf '%s\\n' '\(keyLine)' >plain/cert.pem", "plain/cert.pem", true),
        ("printf c >k; cat k >deep/server.pem; rm k", "deep/server.pem", false),
        ("mv plain other; mv deep plain", "plain/server.pem", true),
        ("mkdir -p new/dir; printf x >new/dir/.env", "new/dir/.env", true),
    ])
    func aWarmWalkSeesWhatChanged(script: String, path: String, isHidden: Bool) throws {
        let bench = try bench()
        try bench.outside("find . -exec touch -h -d '1 hour ago' {} +; sleep 2.1")
        _ = try bench.prepare()
        let warm = try bench.prepare()
        #expect(warm.hidden.map(\.description).contains(path) != isHidden)
        try bench.outside(script)
        #expect(try bench.prepare().hidden.map(\.description).contains(path) == isHidden)
    }

    @Test func aDamagedCacheIsAColdWalk() throws {
        let bench = try bench()
        let hidden = try bench.prepare().hidden
        let caches = try FileManager.default.contentsOfDirectory(atPath: bench.state + "/trees")
        #expect(caches.count == 1)
        let cache = bench.state + "/trees/" + caches[0]
        let good = try Data(contentsOf: URL(fileURLWithPath: cache))
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            var bad = good
            switch UInt8.random(in: 0...2, using: &generator) {
            case 0:
                bad[Int.random(in: 0..<bad.count, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
            case 1: bad = bad.prefix(Int.random(in: 0..<bad.count, using: &generator))
            default: bad.append(0)
            }
            try bad.write(to: URL(fileURLWithPath: cache))
            #expect(try bench.prepare().hidden == hidden)
        }
    }

    @Test func theLayerIsSharedAndBuiltOnce() throws {
        let bench = try bench()
        let first = try bench.prepare()
        let second = try Bench(existing: bench.root, number: 2).prepare()
        guard case .overlay(_, let one?, _) = first.mounts[0].source,
            case .overlay(_, let two?, _) = second.mounts[0].source
        else {
            Issue.record("no mask")
            return
        }
        #expect(one == two)
        try bench.outside("printf x >plain/.env")
        guard case .overlay(_, let three?, _) = try bench.prepare().mounts[0].source else { return }
        #expect(three != one)
    }
}
