import Foundation
import TestSupport
import Testing

@Suite("A project gives the same results and the same tree behind the wall as outside", .serialized)
struct SampleProjectTests {
    @Test(
        "C with configure and make",
        .enabled(if: ProjectYard.has(["gcc", "make"])),
        arguments: TestIdentity.available
    )
    func buildsC(_ identity: TestIdentity) throws {
        try compare("c", identity, "./configure && make -s check") { $0.contains(": ") }
    }

    @Test("Rust without a registry", .enabled(if: ProjectYard.has(["cargo"])), arguments: TestIdentity.available)
    func buildsRust(_ identity: TestIdentity) throws {
        try compare("cargo", identity, "CARGO_INCREMENTAL=0 cargo test --offline --workspace", volatile: "target/*") {
            $0.hasPrefix("test ") && !$0.hasPrefix("test result")
        }
    }

    @Test("Node without a registry", .enabled(if: ProjectYard.has(["node"])), arguments: TestIdentity.available)
    func runsNode(_ identity: TestIdentity) throws {
        try compare("node", identity, "node --test --test-reporter=tap test/") { $0.contains("ok ") }
    }

    @Test("Java", .enabled(if: ProjectYard.has(["javac", "java"])), arguments: TestIdentity.available)
    func buildsJava(_ identity: TestIdentity) throws {
        let script = "mkdir out && javac -d out src/yard/*.java && java -cp out yard.Suite"
        try compare("java", identity, script) { $0.contains(": ") }
    }

    @Test("Python", .enabled(if: access("/usr/bin/python3", X_OK) == 0), arguments: TestIdentity.available)
    func runsPython(_ identity: TestIdentity) throws {
        let script = "/usr/bin/python3 -m unittest -v tests/test_*.py 2>&1"
        try compare("python", identity, script, volatile: "*.pyc") { $0.contains(" ... ") }
    }

    /// Runs a script on one of the sample projects outside, then on a fresh one at the same path behind the wall.
    ///
    /// - Parameters:
    ///   - volatile: a shell pattern of paths whose content differs between any two builds.
    ///   - isResult: whether a line of the output tells a result; the rest holds times.
    private func compare(
        _ sample: String,
        _ identity: TestIdentity,
        _ script: String,
        volatile: String = "nothing",
        isResult: (Substring) -> Bool
    ) throws {
        let yard = try ProjectYard(identity)
        try yard.lay(sample)
        let outside = try yard.outside(script)
        let expected = try yard.picture(volatile: volatile)
        let results = outside.stdout.split(separator: "\n").filter(isResult).sorted()
        #expect(outside.status == 0 && results.count > 3, "\(outside.summary)")

        try yard.lay(sample)
        let behind = try yard.behind(script)
        #expect(behind.status == outside.status, "\(behind.summary)")
        #expect(behind.stdout.split(separator: "\n").filter(isResult).sorted() == results, "\(behind.summary)")
        #expect(try yard.picture(volatile: volatile) == expected, "\(behind.stderr)")
    }
}
