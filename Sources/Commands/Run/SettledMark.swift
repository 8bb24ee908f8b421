import Files

/// A file that says: this run's Bailey came to its end in order, there is nothing to recover. It spares later starts a
/// look at the journal. It is taken away before anything is begun again.
enum SettledMark {
    static let name = Array("settled".utf8)

    static func set(_ run: borrowing RunDirectory) throws {
        try FileContent.replace(name, in: run.handle, with: [], durable: false)
    }

    static func clear(runDirectory: String) throws {
        let directory = try Directory(trustedPath: runDirectory)
        guard try directory.statusIfPresent(name) != nil else { return }
        try directory.removeFile(name)
        try directory.synchronize()
    }
}
