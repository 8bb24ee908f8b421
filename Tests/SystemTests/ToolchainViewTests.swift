import Foundation
import TestSupport
import Testing

@Suite("the command finds what was asked for, and no credentials")
struct ToolchainViewTests {
    /// Places of a home where credentials lie.
    private static let credentialPlaces = [
        ".ssh/id_ed25519", ".aws/credentials", ".gnupg/secring.gpg", ".docker/config.json", ".kube/config", ".netrc",
        ".config/gh/hosts.yml", ".git-credentials", ".npmrc", ".pypirc", ".cargo/credentials.toml",
        ".config/gcloud/credentials.db", ".bash_history", ".claude.json", ".claude/settings.json",
    ]

    @Test("--readable shows a directory, read-only", arguments: TestIdentity.available)
    func readable(_ identity: TestIdentity) throws {
        let yard = try ToolchainYard(identity)
        try yard.writeHome("model\n", to: "data/model.txt")
        let file = yard.home + "/data/model.txt"
        let hidden = try yard.inside("cat '\(file)'")
        #expect(hidden.status != 0, "\(hidden.summary)")
        let shown = try yard.inside("cat '\(file)'", options: ["--readable", yard.home + "/data"])
        #expect(shown.stdout == "model\n", "\(shown.summary)")
        let written = try yard.inside("echo x >> '\(file)'", options: ["--readable", yard.home + "/data"])
        #expect(written.status != 0, "\(written.summary)")
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "model\n")
    }

    @Test(
        "--env passes a variable or sets one, and nothing else of the caller's comes along",
        arguments: TestIdentity.available
    )
    func variables(_ identity: TestIdentity) throws {
        let yard = try ToolchainYard(identity)
        yard.extraVariables = ["PASSED": "from outside", "OTHER": "stays outside", "LD_PRELOAD_X": "stays outside"]
        let result = try yard.inside(
            "echo \"$PASSED|$SET|$OTHER\"; env",
            options: ["--env", "PASSED", "--env", "SET=a=b c"]
        )
        #expect(result.status == 0, "\(result.summary)")
        #expect(result.stdout.hasPrefix("from outside|a=b c|\n"), "\(result.summary)")
        #expect(!result.stdout.contains("stays outside"), "\(result.summary)")
        let unset = try yard.inside("true", options: ["--env", "NOT_THERE"])
        #expect(unset.status == 2, "\(unset.summary)")
    }

    @Test("credential places stay away, beside toolchains too", arguments: TestIdentity.available)
    func credentials(_ identity: TestIdentity) throws {
        let yard = try ToolchainYard(identity)
        let marker = "stand-in-" + String(UInt64.random(in: 1 << 60..<1 << 62), radix: 36)
        for place in Self.credentialPlaces { try yard.writeHome(marker + "\n", to: place, mode: 0o600) }
        try yard.writeHome("#!/bin/sh\necho ran\n", to: ".cargo/bin/tool", mode: 0o755)
        yard.extraPath = [yard.home + "/.cargo/bin"]
        let search = "tool; grep -rsl \(marker) \"$HOME\" /etc /run /srv /tmp; echo searched"
        // The control: outside the same search finds every one.
        let control = try yard.outside(search)
        #expect(control.stdout.split(separator: "\n").count == Self.credentialPlaces.count + 2, "\(control.summary)")
        let result = try yard.inside(search)
        #expect(result.stdout == "ran\nsearched\n", "\(result.summary)")
    }

    @Test("no option shows a credential place", arguments: TestIdentity.available)
    func refusesCredentials(_ identity: TestIdentity) throws {
        let yard = try ToolchainYard(identity)
        try yard.writeHome("key\n", to: ".ssh/id_ed25519", mode: 0o600)
        for place in [yard.home + "/.ssh", yard.home + "/.ssh/id_ed25519", yard.home, "/", "/root", "/etc"] {
            let result = try yard.inside("true", options: ["--readable", place])
            #expect(result.status == 2, "\(place): \(result.summary)")
        }
    }
}
