import Files
import Glibc
import TestSupport
import Testing

@Suite("A tree is removed whole, whatever its directories let in")
struct RemoveTreeTests {
    /// Directories that shut their owner out in every way, each with a file and a directory in it.
    private static let modes: [UInt32] = [0o000, 0o100, 0o200, 0o300, 0o400, 0o500, 0o600, 0o700]

    private static func fill(_ parent: borrowing Directory, _ name: String) throws {
        try parent.makeDirectory(Array(name.utf8), mode: 0o700)
        let tree = try parent.directory(Array(name.utf8))
        for mode in modes {
            let shut = Array("shut\(mode)".utf8)
            try tree.makeDirectory(shut, mode: 0o700)
            let directory = try tree.directory(shut)
            try FileContent.create(Array("file".utf8), in: directory, with: [1])
            try directory.makeSymbolicLink(Array("link".utf8), to: Array("/etc".utf8))
            try directory.makeDirectory(Array("inner".utf8), mode: 0o700)
            let inner = try directory.directory(Array("inner".utf8))
            try FileContent.create(Array("file".utf8), in: inner, with: [1])
            try inner.setOwnMode(mode)
            try directory.setOwnMode(mode)
        }
    }

    private static func deepen(_ parent: borrowing Directory, _ name: String, levels: Int) throws {
        if levels == 0 { return try FileContent.create(Array("file".utf8), in: parent, with: [1]) }
        try parent.makeDirectory(Array(name.utf8), mode: 0o700)
        try deepen(parent.directory(Array(name.utf8)), "d", levels: levels - 1)
    }

    /// Root is let in everywhere, and would show nothing.
    private static func becomeOrdinary(_ place: String) {
        guard geteuid() == 0 else { return }
        guard chown(place, 12_345, 12_345) == 0, setgid(12_345) == 0, setuid(12_345) == 0 else { exit(3) }
    }

    @Test func withShutDirectories() async throws {
        let place = try TemporaryDirectory("bailey-remove")
        await #expect(processExitsWith: .success) { [path = place.path as String] in
            Self.becomeOrdinary(path)
            let directory = try Directory(trustedPath: path)
            try Self.fill(directory, "tree")
            try directory.removeTree(Array("tree".utf8))
            guard try directory.entries().isEmpty else { exit(4) }
        }
    }

    @Test func deeperThanDescriptorsAreKept() async throws {
        let place = try TemporaryDirectory("bailey-remove")
        await #expect(processExitsWith: .success) { [path = place.path as String] in
            Self.becomeOrdinary(path)
            let directory = try Directory(trustedPath: path)
            try Self.deepen(directory, "tree", levels: 300)
            // As a removal that was killed leaves it, and as somebody may call a directory.
            let tree = try directory.directory(Array("tree".utf8))
            for number in 1...3 { try Self.deepen(tree, ".removing-\(number)", levels: 100) }
            try directory.removeTree(Array("tree".utf8))
            guard try directory.entries().isEmpty else { exit(4) }
        }
    }
}
