import Domain
import Files
import Glibc

/// A project's `.bailey` comes to be with the first run, and first runs can be killed.
extension ProjectDirectory {
    /// Made beside its place and renamed, so that nobody ever sees half of it.
    static func make(_ project: String, _ root: borrowing Directory, _ register: borrowing ProjectRegister)
        throws
    {
        let isLocked = lock(root)
        defer { if isLocked { _ = flock(root.raw, LOCK_UN) } }
        // Another first run may have been quicker.
        guard try root.statusIfPresent(Array(name.utf8)) == nil else { return }
        if isLocked { try removeUnpublished(project, root, register, except: nil) }
        let id = ProjectID.make(milliseconds: SystemTime().unixMilliseconds(), random: .random(in: .min ... .max))
        let temporary = Array((unpublished + id.rawValue).utf8)
        do {
            try register.add(id, path: project)
            try fill(temporary, id, root)
            CrashPoint.reached("project directory filled")
            try publish(temporary, root)
        } catch let error as SystemError {
            try? root.removeTree(temporary)
            register.remove(id)
            throw CommandError(
                ExitStatus.failed,
                "make \(project)/\(name): \(error)",
                hint: "Bailey keeps a run's journal and changes there; the project directory must be writable."
            )
        }
    }

    /// What the directory is called before it is whole.
    private static var unpublished: String { ".bailey." }
    /// How long a first run waits for another one of the same project.
    private static var lockAttemptsMax: Int { 100 }
    private static var lockPauseMicroseconds: UInt32 { 20_000 }

    /// One first run at a time; false if somebody keeps the project's directory locked for purposes of their own, in
    /// which case the rename alone keeps the order.
    private static func lock(_ root: borrowing Directory) -> Bool {
        for _ in 0..<lockAttemptsMax {
            if flock(root.raw, LOCK_EX | LOCK_NB) == 0 { return true }
            usleep(lockPauseMicroseconds)
        }
        return false
    }

    /// Entries of a project's own directory among which a start looks for what first runs left.
    private static var entriesLookedAtMax: Int { 4096 }

    /// A first run that was killed beside a quicker one left its directory beside that one's. Nothing depends on it, so
    /// that whoever cannot remove it now leaves it to a later start.
    ///
    /// - Parameter published: the project's own id. Who knows it can give a directory its name, and the project would
    ///   lose its registration with that directory.
    static func removeUnpublishedBeside(
        _ published: ProjectID,
        _ project: String,
        _ root: borrowing Directory,
        _ register: borrowing ProjectRegister
    ) {
        let entries = (try? root.entries(atMost: entriesLookedAtMax)) ?? []
        guard entries.contains(where: { $0.name.starts(with: unpublished.utf8) }),
            flock(root.raw, LOCK_EX | LOCK_NB) == 0
        else { return }
        defer { _ = flock(root.raw, LOCK_UN) }
        try? removeUnpublished(project, root, register, except: published)
    }

    /// Removes what first runs left that were killed before theirs was published: only what is registered for this
    /// place was made by one. The caller holds the lock.
    private static func removeUnpublished(
        _ project: String,
        _ root: borrowing Directory,
        _ register: borrowing ProjectRegister,
        except published: ProjectID?
    ) throws {
        for entry in try root.entries() where entry.name.starts(with: unpublished.utf8) {
            guard let id = ProjectID(String(decoding: entry.name.dropFirst(unpublished.utf8.count), as: UTF8.self)),
                id != published, register.holds(id, path: project),
                let status = try root.statusIfPresent(entry.name), status.kind == .directory,
                status.userID == geteuid()
            else { continue }
            try root.removeTree(entry.name)
            register.remove(id)
        }
    }

    private static func fill(_ name: [UInt8], _ id: ProjectID, _ root: borrowing Directory) throws {
        try root.makeDirectory(name, mode: 0o700)
        let directory = try root.directory(name)
        // Git leaves it alone without a word in the project's own ignore file.
        try FileContent.replace(Array(".gitignore".utf8), in: directory, with: Array("*\n".utf8))
        try FileContent.replace(Array("id".utf8), in: directory, with: Array((id.rawValue + "\n").utf8))
        try directory.makeDirectory(runsName, mode: 0o700)
        try directory.synchronize()
    }

    /// Another first run may have been quicker; its directory is as good, and it may have removed ours.
    private static func publish(_ temporary: [UInt8], _ root: borrowing Directory) throws {
        do throws(SystemError) {
            try root.rename(temporary, to: root, Array(name.utf8), rule: .failIfPresent)
        } catch {
            guard try root.isPresent(Array(name.utf8)) else { throw error }
            try root.removeTree(temporary)
        }
        try root.synchronize()
    }
}
