import Files
import Foundation
import TestSupport

/// A directory for one target, in memory where that is possible. It goes with its owner, whatever modes lie in it.
final class FuzzScratch: Sendable {
    private let temporary: TemporaryDirectory
    var path: String { temporary.path }

    init(_ label: String) throws {
        let memory = "/dev/shm"
        let parent =
            ProcessInfo.processInfo.environment["TMPDIR"]
            ?? (access(memory, W_OK) == 0 ? memory : NSTemporaryDirectory())
        temporary = try TemporaryDirectory("bailey-fuzz-\(label)", in: parent)
    }

    deinit {
        // Foundation does not remove directories that shut their owner out.
        guard let name = path.split(separator: "/").last else { return }
        try? Directory(trustedPath: path + "/..").removeTree(Array(name.utf8))
    }

    func directory(_ name: String = "") throws -> Directory { try Directory(trustedPath: path + "/" + name) }

    func make(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: path + "/" + name, withIntermediateDirectories: true)
    }

    func write(_ bytes: [UInt8], _ name: String) throws {
        let directory = try directory()
        let file = try directory.open(Array(name.utf8), flags: O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
        try FileContent.write(bytes, to: file.raw)
    }

    func read(_ name: String) throws -> [UInt8] {
        try FileContent.read(trustedPath: path + "/" + name, bytesMax: 1 << 24)
    }
}
