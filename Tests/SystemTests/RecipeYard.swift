import Foundation
import TestSupport

/// A yard with agents that are no agents: scripts under their names, in a home's place for programs.
final class RecipeYard {
    let yard: Yard
    /// In front of the caller's PATH.
    var path: [String]
    /// What no run may show: in variables, settings and logins.
    let secret =
        "planted" + (0..<40).map { _ in String("abcdefghijkmnpqrstuvwxyz23456789".randomElement() ?? "a") }.joined()

    init(_ identity: TestIdentity = TestIdentity.available[0]) throws {
        yard = try Yard(identity)
        path = [yard.home + "/.local/bin"]
        for name in ["claude", "codex", "aider", "mini"] { try install(name) }
    }

    /// A program that does what its first argument says.
    func install(_ name: String, at directory: String = "home/.local/bin") throws {
        let file = directory + "/" + name
        try yard.write("#!/bin/sh\nexec /bin/sh -c \"$@\"\n", to: file)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: yard.path + "/" + file)
        try yard.identity.own(yard.path + "/" + directory.prefix { $0 != "/" })
    }

    /// Runs `bailey run -- AGENT SCRIPT`.
    func agent(
        _ name: String,
        _ script: String,
        _ options: String...,
        in directory: String? = nil,
        with extra: [String: String] = [:]
    ) throws -> ProcessResult {
        let search = (path + ["/usr/local/bin", "/usr/bin", "/bin"]).joined(separator: ":")
        return try yard.bailey(
            ["run"] + options + ["--", name, script],
            in: directory,
            with: ["PATH": search].merging(extra) { $1 }
        )
    }

    func bailey(_ arguments: String..., with extra: [String: String] = [:]) throws -> ProcessResult {
        let search = (path + ["/usr/local/bin", "/usr/bin", "/bin"]).joined(separator: ":")
        return try yard.bailey(arguments, with: ["PATH": search].merging(extra) { $1 })
    }

    /// The first record of the last run.
    func created() throws -> String {
        let text = try yard.read("project/.bailey/runs/\(yard.lastRun())/journal/journal.jsonl")
        return String(text.split(separator: "\n").first ?? "")
    }

    /// A small recipe of the operator's, with one line exchanged.
    func recipe(_ name: String, _ extra: String = "", program: String = "mine") -> String {
        """
        recipe: \(name)
        title: Mine
        about: An agent of mine.
        programs:
          - { program: \(program), why: "its name" }
        \(extra)

        """
    }
}
