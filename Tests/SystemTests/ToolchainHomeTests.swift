import Foundation
import TestSupport
import Testing

@Suite("programs that are installed in the home work behind the wall, read-only")
struct ToolchainHomeTests {
    /// A layout below the home, and the directory of it that is on PATH.
    struct Layout: CustomTestStringConvertible, Sendable {
        let directory: String
        var testDescription: String { directory }
    }

    private static let layouts = [
        ".local/bin", ".nvm/versions/node/v20.1.0/bin", ".cargo/bin", ".pyenv/shims", ".volta/bin",
        ".local/share/mise/shims", ".sdkman/candidates/java/current/bin", "go/bin", ".bun/bin",
    ]
    .map(Layout.init)

    private static let cases = TestIdentity.available.flatMap { identity in layouts.map { (identity, $0) } }

    @Test("a program of a known layout is found through PATH and cannot be changed", arguments: cases)
    func findsProgram(_ identity: TestIdentity, _ layout: Layout) throws {
        let yard = try ToolchainYard(identity)
        try yard.writeHome("#!/bin/sh\necho \"tool at $0\"\n", to: layout.directory + "/bailey-tool", mode: 0o755)
        yard.extraPath = [yard.home + "/" + layout.directory]
        let found = try yard.inside("bailey-tool")
        #expect(found.status == 0, "\(found.summary)")
        #expect(found.stdout == "tool at \(yard.home)/\(layout.directory)/bailey-tool\n")

        let attempts = [
            "echo planted > bailey-tool", "echo planted > new", "rm -f bailey-tool", "chmod 777 bailey-tool",
            "mv . ../gone",
            "ln -s / link", "mkdir sub",
        ]
        for attempt in attempts {
            let result = try yard.inside("cd '\(yard.home)/\(layout.directory)' && \(attempt)")
            #expect(result.status != 0, "\(attempt): \(result.summary)")
        }
        let outside = try yard.outside("ls '\(yard.home)/\(layout.directory)' && bailey-tool")
        #expect(outside.stdout == "bailey-tool\ntool at \(yard.home)/\(layout.directory)/bailey-tool\n")
    }

    @Test(
        "a copied Node runs from its version manager's place",
        .enabled(if: ToolchainYard.has("node")),
        arguments: TestIdentity.available
    )
    func runsNode(_ identity: TestIdentity) throws {
        let yard = try ToolchainYard(identity)
        let directory = ".nvm/versions/node/v20.1.0/bin"
        try yard.writeHome("", to: directory + "/placeholder")
        let node = yard.home + "/" + directory + "/node"
        try FileManager.default.copyItem(atPath: "/usr/bin/node", toPath: node)
        try yard.identity.own(yard.home)
        yard.extraPath = [yard.home + "/" + directory]
        let result = try yard.inside("node -p process.execPath")
        #expect(result.status == 0, "\(result.summary)")
        #expect(result.stdout == node + "\n")
    }

    @Test("an environment made from a Python in the home is brought in", arguments: TestIdentity.available)
    func linksIntoToolchain(_ identity: TestIdentity) throws {
        let yard = try ToolchainYard(identity)
        try yard.writeHome("#!/bin/sh\necho three\n", to: ".pyenv/versions/3.12.0/bin/python3", mode: 0o755)
        let script = "mkdir -p .venv/bin && ln -s \"$HOME/.pyenv/versions/3.12.0/bin/python3\" .venv/bin/python"
        let result = try yard.bailey(["run", "--apply", "auto", "--", "/bin/sh", "-c", script])
        #expect(result.status == 0, "\(result.summary)")
        let outside = try yard.outside(".venv/bin/python")
        #expect(outside.stdout == "three\n", "\(result.summary)")
        let elsewhere = try yard.bailey(["run", "--apply", "auto", "--", "/bin/ln", "-s", yard.home + "/notes", "out"])
        #expect(elsewhere.stderr.contains("link-leaves-project"), "\(elsewhere.summary)")
    }

    private static let hasCargo = access(ToolchainYard.realHome + "/.cargo/bin/cargo", X_OK) == 0

    @Test("cargo and rustc of this account's home", .enabled(if: hasCargo))
    func runsCargo() throws {
        let yard = try ToolchainYard(TestIdentity.available[0], usesRealHome: true)
        yard.extraPath = [yard.home + "/.cargo/bin"]
        try yard.write("[package]\nname = \"hello\"\nversion = \"0.1.0\"\nedition = \"2021\"\n", to: "Cargo.toml")
        try yard.write("fn main() { println!(\"made in Rust\"); }\n", to: "src/main.rs")
        let result = try yard.inside("cargo run --quiet --offline")
        #expect(result.status == 0, "\(result.summary)")
        #expect(result.stdout == "made in Rust\n")
    }

    private static let hasPyenv = access(ToolchainYard.realHome + "/.pyenv/shims/python3", X_OK) == 0

    @Test("python3 of this account's pyenv", .enabled(if: hasPyenv))
    func runsPyenv() throws {
        let yard = try ToolchainYard(TestIdentity.available[0], usesRealHome: true)
        yard.extraPath = [yard.home + "/.pyenv/shims", yard.home + "/.pyenv/bin"]
        let result = try yard.inside("python3 -c 'import sys, ssl, ctypes; print(sys.prefix)'")
        #expect(result.status == 0, "\(result.summary)")
        #expect(result.stdout.hasPrefix(yard.home + "/.pyenv/"), "\(result.summary)")
    }
}
