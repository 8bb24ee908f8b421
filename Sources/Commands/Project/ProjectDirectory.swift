import Domain
import Files
import Git
import Glibc
import Journal

/// A project's `.bailey`: used only if it is a real directory of the caller's, not tracked by git, and registered under
/// this path in the caller's state directory. A project may come from anywhere, and its `.bailey` with it.
struct ProjectDirectory: ~Copyable {
    static let name = ".bailey"

    let project: String
    let id: ProjectID
    let handle: Directory

    var path: String { project + "/" + Self.name }

    /// What the directory of runs is called.
    static let runsName = Array("runs".utf8)

    /// The directory that the runs lie in.
    func runs() throws(SystemError) -> Directory { try handle.directory(Self.runsName) }

    /// Opens the project's directory, making and registering it where there is none.
    static func open(
        _ project: String,
        state: borrowing StateDirectory,
        caller: Caller,
        makesIfAbsent: Bool
    ) throws -> ProjectDirectory {
        let register = try ProjectRegister(state: state)
        let root = try Directory(trustedPath: project)
        try checkTracking(project)
        if try root.statusIfPresent(Array(name.utf8)) == nil {
            guard makesIfAbsent else {
                throw CommandError(
                    ExitStatus.usage,
                    "find runs: no command has been run in \(project) yet",
                    hint: "Start one with `bailey run -- COMMAND`, or name another project with --project."
                )
            }
            try make(project, root, register)
            return try openExisting(project, root, register, caller)
        }
        let found = try openExisting(project, root, register, caller)
        if makesIfAbsent { removeUnpublishedBeside(found.id, project, root, register) }
        return found
    }

    /// Registers a `.bailey` that was moved, copied or restored, after the caller has looked at it.
    static func adopt(_ project: String, state: borrowing StateDirectory, caller: Caller) throws {
        let root = try Directory(trustedPath: project)
        guard try root.statusIfPresent(Array(name.utf8)) != nil else {
            throw CommandError(
                ExitStatus.usage,
                "adopt \(project)/\(name): there is none",
                hint: "Change into the project that holds it, or name that with --project."
            )
        }
        try checkTracking(project)
        try checkOwner(root, project, caller)
        let handle = try root.directory(Array(name.utf8))
        let id = try readID(handle, project)
        try setWorkspacesAside(handle)
        try ProjectRegister(state: state).add(id, path: project)
    }

    /// What lies in a run's workspace says where to apply it, and was written for another place or by somebody else: it
    /// is kept for the person and never read again.
    private static func setWorkspacesAside(_ handle: borrowing Directory) throws {
        let runs = try handle.directory(runsName)
        for entry in try runs.entries() where entry.kind == .directory {
            let run = try runs.directory(entry.name)
            guard try run.statusIfPresent(RunDirectory.workspaceName) != nil else { continue }
            let aside = RunDirectory.workspaceName + Array(".set-aside".utf8)
            try run.removeTree(aside)
            try run.rename(RunDirectory.workspaceName, to: run, aside, rule: .failIfPresent)
        }
    }

    private static func openExisting(
        _ project: String,
        _ root: borrowing Directory,
        _ register: borrowing ProjectRegister,
        _ caller: Caller
    ) throws -> ProjectDirectory {
        try checkOwner(root, project, caller)
        let handle = try root.directory(Array(name.utf8))
        let id = try readID(handle, project)
        guard register.holds(id, path: project) else {
            throw CommandError(
                ExitStatus.failed,
                "trust \(project)/\(name): it is not registered for this place in your state directory",
                hint:
                    "If it is yours (you moved or copied the project), run `bailey project adopt`; if it came with the "
                    + "project, move it away: mv \(project)/\(name) \(project)/\(name).foreign"
            )
        }
        return ProjectDirectory(project: project, id: id, handle: handle)
    }

    /// What git tracks comes with a clone and changes with a checkout.
    private static func checkTracking(_ project: String) throws(CommandError) {
        guard TrackedDirectory.isTracked(name, inProject: project) else { return }
        throw CommandError(
            ExitStatus.failed,
            "trust \(project)/\(name): git tracks it, so that a checkout could replace what lies there",
            hint:
                "If it came with the project, move it away: mv \(project)/\(name) \(project)/\(name).foreign; "
                + "then, or if it is yours: git -C \(project) rm -r -q --cached \(name)"
        )
    }

    private static func checkOwner(_ root: borrowing Directory, _ project: String, _ caller: Caller) throws {
        let status = try root.status(Array(name.utf8))
        let away = "Move it away: mv \(project)/\(name) \(project)/\(name).foreign"
        guard status.kind == .directory else {
            throw CommandError(ExitStatus.failed, "trust \(project)/\(name): it is not a real directory", hint: away)
        }
        guard status.userID == caller.userID else {
            throw CommandError(
                ExitStatus.failed,
                "trust \(project)/\(name): it belongs to user \(status.userID), not to you (\(caller.userID))",
                hint: away
            )
        }
        guard status.mode & 0o077 == 0 else {
            throw CommandError(
                ExitStatus.failed,
                "trust \(project)/\(name): others can enter it (mode \(String(status.mode, radix: 8)))",
                hint: "chmod 700 \(project)/\(name)"
            )
        }
    }

    private static func readID(_ handle: borrowing Directory, _ project: String) throws -> ProjectID {
        let bytes = try? FileContent.read(Array("id".utf8), in: handle, bytesMax: 128)
        let text = bytes.map { String(decoding: $0, as: UTF8.self).trimmingNewline }
        guard let text, let id = ProjectID(text) else {
            throw CommandError(
                ExitStatus.failed,
                "trust \(project)/\(name): it holds no readable id",
                hint: "Move it away: mv \(project)/\(name) \(project)/\(name).foreign"
            )
        }
        return id
    }
}

extension String {
    var trimmingNewline: String { hasSuffix("\n") ? String(dropLast()) : self }
}
