import Domain
import Files
import Foundation
import Workspace

/// A small project and a run of it, ready to be changed from inside.
final class WorkspaceBed {
    static let storedFiles = ["plan", "index0", "manifest0", "changes"]

    /// What every tag is here: no input could guess one, and what is behind it is to be reached.
    static let tag: Digest = {
        guard let tag = Digest(repeatElement(0, count: Digest.byteCount)) else { preconditionFailure("it is so long") }
        return tag
    }()
    static let seal = StoredSeal { _ in tag }

    let plan: WorkspacePlan
    let stored: StoredRun
    private let scratch: FuzzScratch

    var run: String { scratch.path + "/run" }
    var project: String { scratch.path + "/project" }
    private var changed: String { plan.workspaceTrees[0].changed }

    init(_ choice: Workspace.Choice) throws {
        let scratch = try FuzzScratch("workspace")
        for directory in Self.directories + ["run", "state"] { try scratch.make(directory) }
        for (name, content) in Self.files { try scratch.write(Array(content.utf8), "project/" + name) }
        let stored = StoredRun(
            run: RunID(unchecked: "r_fuzz"),
            project: scratch.path + "/project",
            runDirectory: scratch.path + "/run",
            seal: Self.seal
        )
        self.stored = stored
        plan = try Workspace(
            stored,
            stateDirectory: scratch.path + "/state",
            limits: ResourceLimits(),
            time: StillTime()
        ).prepare(choice)
        self.scratch = scratch
        let change = Change(
            path: .root,
            kind: .mode,
            file: .directory,
            mode: 0o700,
            previousMode: 0o755,
            linkTarget: [0x61],
            isText: true,
            digest: Digest([UInt8](repeating: 1, count: Digest.byteCount))
        )
        var nothing = ResourceLimits()
        nothing.workspaceFiles = 0
        let set = ChangeSet(
            run: plan.run,
            changes: [change],
            replacedDirectories: [.init(tree: 0, path: .root)],
            excesses: try plan.listChanges(limits: nothing).excesses
        )
        try WorkspacePlan.storeChanges(set, in: stored)
    }

    private static let directories = [
        "project/src/deep", "project/.git/objects/ab", "project/.git/refs/heads", "project/.git/hooks",
        "project/.git/logs/refs/heads", "project/.git/info", "project/bare/objects", "project/bare/refs",
        "project/vendor",
    ]

    private static let files = [
        ("a.txt", "one\ntwo\n"), ("src/main.c", "int main(void) { return 0; }\n"), ("src/deep/x", "x"),
        (".env", "KEY=v\n"),
        (".git/HEAD", "ref: refs/heads/main\n"), (".git/config", "[core]\n\tbare = false\n\thooksPath = tools/hooks\n"),
        (".git/refs/heads/main", String(repeating: "ab", count: 20) + "\n"), ("bare/HEAD", "ref: refs/heads/main\n"),
        ("bare/config", "[core]\n\tbare = true\n"), ("vendor/.git", "gitdir: ../.git/modules/vendor\n"),
    ]

    func stored(_ name: String) throws -> [UInt8] { try scratch.read("run/workspace/" + name) }

    /// Puts other bytes into a stored file while `body` runs.
    func withStored(_ name: String, _ bytes: [UInt8], _ body: () throws -> Void) throws {
        let before = try stored(name)
        defer { try? scratch.write(before, "run/workspace/" + name) }
        try scratch.write(bytes, "run/workspace/" + name)
        try body()
    }

    /// Takes away what an earlier input left. A copy is left empty: everything was deleted.
    func clear() throws {
        let slash = changed.lastIndex(of: "/") ?? changed.startIndex
        let parent = try Directory(trustedPath: String(changed[..<slash]))
        let name = Array(changed[changed.index(after: slash)...].utf8)
        try parent.removeTree(name)
        try parent.makeDirectory(name, mode: 0o755)
    }

    /// Puts a file's content into the user's tree, or into what the command left.
    func write(_ bytes: [UInt8], _ name: String, changed isChanged: Bool) throws {
        let directory = try Directory(trustedPath: isChanged ? changed : project)
        let file = try directory.open(Array(name.utf8), flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
        try FileContent.write(bytes, to: file.raw)
    }
}
