import Files
import Glibc

/// Files of `/proc/PID`. A process that is gone has none.
enum ProcessFile {
    static func text(_ process: Int32, _ name: String) -> String? {
        (try? FileContent.read(trustedPath: "/proc/\(process)/\(name)", bytesMax: 1 << 20))
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// The last number of a line of `status`: of several pid namespaces that is the innermost.
    static func number(_ process: Int32, _ name: String) -> Int32? {
        (text(process, "status") ?? "").split(separator: "\n").first { $0.hasPrefix(name) }?
            .split { $0 == " " || $0 == "\t" }.last.flatMap { Int32($0) }
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
    /// Its own and its shared pages that no file on a disk backs, now; and the most pages of any kind that it ever had
    /// in memory.
    static func look(at process: Int32) -> (upperBound: UInt64, peak: UInt64) {
        let status = ProcessFile.text(process, "status") ?? ""
        return (kibibytes(status, ["RssAnon:", "RssShmem:"]) * 1024, kibibytes(status, ["VmHWM:"]) * 1024)
    }

    /// Its share of the first: pages of several processes are divided among them.
    static func proportional(of process: Int32) -> UInt64 {
        kibibytes(ProcessFile.text(process, "smaps_rollup") ?? "", ["Pss_Anon:", "Pss_Shmem:"]) * 1024
    }

    private static func kibibytes(_ text: String, _ names: [String]) -> UInt64 {
        var sum: UInt64 = 0
        for line in text.split(separator: "\n") where names.contains(where: { line.hasPrefix($0) }) {
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
