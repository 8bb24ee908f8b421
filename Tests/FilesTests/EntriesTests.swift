import Files
import Glibc
import TestSupport
import Testing

@Suite("A directory's entries are listed whole")
struct EntriesTests {
    @Test func moreThanTheKernelTellsAtOnce() throws {
        let place = try TemporaryDirectory("bailey-entries")
        let directory = try Directory(trustedPath: place.path)
        let names = (0..<400).map { Array("\($0)-".utf8) + [UInt8](repeating: 0x61, count: 240 - $0 % 7) }
        for (number, name) in names.enumerated() {
            if number % 2 == 0 {
                try FileContent.create(name, in: directory, with: [])
            } else {
                try directory.makeDirectory(name, mode: 0o700)
            }
        }
        for _ in 0..<2 {
            let found = try directory.entries()
            #expect(Set(found.map(\.name)) == Set(names) && found.count == names.count)
            #expect(found.filter { $0.kind == .directory }.count == names.count / 2)
            #expect(found.filter { $0.kind == .file }.count == names.count / 2)
        }
        #expect(try directory.entries(atMost: names.count).count == names.count)
        let error = #expect(throws: SystemError.self) { try directory.entries(atMost: names.count - 1) }
        #expect(error?.code == EOVERFLOW)
    }

    @Test func everyKind() throws {
        let place = try TemporaryDirectory("bailey-entries")
        let directory = try Directory(trustedPath: place.path)
        #expect(try directory.entries().isEmpty)
        try directory.makeSymbolicLink(Array("link".utf8), to: Array("nowhere".utf8))
        #expect(mkfifo(place.path + "/fifo", 0o600) == 0)
        try directory.makeDirectory(Array("directory".utf8), mode: 0o700)
        let kinds = Dictionary(
            uniqueKeysWithValues: try directory.entries().map { (String(decoding: $0.name, as: UTF8.self), $0.kind) }
        )
        #expect(kinds == ["link": .symlink, "fifo": .fifo, "directory": .directory])
    }

    /// Whoever may read the names and nothing else would miss what bears them.
    @Test func aDirectoryThatCannotBeSearchedIsNotListed() async throws {
        let place = try TemporaryDirectory("bailey-entries")
        await #expect(processExitsWith: .success) { [path = place.path as String] in
            guard geteuid() != 0 || chown(path, 12_345, 12_345) == 0 && setgid(12_345) == 0 && setuid(12_345) == 0
            else { exit(3) }
            let directory = try Directory(trustedPath: path)
            try directory.makeDirectory(Array("inner".utf8), mode: 0o700)
            try directory.setOwnMode(0o600)
            do {
                _ = try directory.entries()
                exit(4)
            } catch {
                guard (error as? SystemError)?.code == EACCES else { exit(5) }
            }
            try directory.setOwnMode(0o700)
            guard try directory.entries().count == 1 else { exit(6) }
        }
    }
}
