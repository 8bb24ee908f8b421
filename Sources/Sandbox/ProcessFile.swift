import Files
import Glibc

/// Files of `/proc/PID`. A process that is gone has none.
enum ProcessFile {
    static func text(_ process: Int32, _ name: String) -> String? {
        (try? FileContent.read(trustedPath: "/proc/\(process)/\(name)", bytesMax: 1 << 20))
            .map { String(decoding: $0, as: UTF8.self) }
    }

    static func threads(_ process: Int32) -> [String] { names(process, "task") }

    /// The entries of a directory of it, such as `task` or `fd`.
    static func names(_ process: Int32, _ directory: String) -> [String] {
        guard let directory = try? Directory(trustedPath: "/proc/\(process)/\(directory)"),
            let entries = try? directory.entries(atMost: 4096)
        else { return [] }
        return entries.map { String(decoding: $0.name, as: UTF8.self) }
    }
}

/// What a process takes of the machine's memory.
enum MemoryUse {
    /// Its own and its shared pages that no file on a disk backs.
    static func upperBound(of process: Int32) -> UInt64 {
        kibibytes(process, "status", ["RssAnon:", "RssShmem:"]) * 1024
    }

    /// Its share of the same: pages of several processes are divided among them.
    static func proportional(of process: Int32) -> UInt64 {
        kibibytes(process, "smaps_rollup", ["Pss_Anon:", "Pss_Shmem:"]) * 1024
    }

    private static func kibibytes(_ process: Int32, _ file: String, _ names: [String]) -> UInt64 {
        var sum: UInt64 = 0
        for line in (ProcessFile.text(process, file) ?? "").split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true).flatMap {
                $0.split(separator: "\t")
            }
            if let name = words.first, names.contains(String(name)), words.count > 1 { sum += UInt64(words[1]) ?? 0 }
        }
        return sum
    }
}

/// Files that processes hold open after the last name is gone: no walk finds them.
enum UnnamedFiles {
    private struct File: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    static func bytes(of processes: [Int32]) -> UInt64 {
        var seen: [File: UInt64] = [:]
        for process in processes {
            for descriptor in ProcessFile.names(process, "fd") {
                var status = stat()
                guard stat("/proc/\(process)/fd/\(descriptor)", &status) == 0, status.st_nlink == 0,
                    status.st_mode & S_IFMT == S_IFREG
                else { continue }
                seen[File(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))] =
                    UInt64(max(0, status.st_blocks)) * 512
            }
        }
        return seen.values.reduce(0, +)
    }
}
