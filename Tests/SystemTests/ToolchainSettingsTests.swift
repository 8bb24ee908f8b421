import Foundation
import TestSupport
import Testing

@Suite("tokens among the programs of the home stay outside")
struct ToolchainSettingsTests {
    private static let files = [
        ".nvm/.npmrc", ".nvm/versions/node/v20.1.0/etc/npmrc", ".pyenv/versions/3.12.1/pip.conf", "miniconda3/.condarc",
    ]

    @Test("a settings file beside installed programs is empty inside", arguments: TestIdentity.available)
    func settingsAreCovered(_ identity: TestIdentity) throws {
        let yard = try ToolchainYard(identity)
        let word = "word\(UInt64.random(in: 1 << 40..<1 << 50))"
        for file in Self.files { try yard.writeHome("setting=\(word)\n", to: file) }
        try yard.writeHome("shown\n", to: ".nvm/versions/node/v20.1.0/bin/readme")
        for file in Self.files {
            let path = yard.home + "/" + file
            #expect(try yard.outside("cat '\(path)'").stdout.contains(word), "the control reads it")
            let inside = try yard.inside("cat '\(path)'")
            #expect(!inside.stdout.contains(word), "\(inside.summary)")
        }
        #expect(try yard.inside("cat '\(yard.home)/.nvm/versions/node/v20.1.0/bin/readme'").stdout == "shown\n")
    }
}
