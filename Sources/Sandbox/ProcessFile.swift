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

/// What processes take of the machine's memory: pages that no file on a disk backs.
struct MemoryUse {
    private var ownBytes: UInt64 = 0
    private var sharedBytes: UInt64 = 0
    /// The most pages of any kind that each ever had in memory; only of a look that is not exact.
    private(set) var peaks: [Int32: UInt64] = [:]

    /// - Parameter isExact: pages of several processes are divided among them, which takes longer to find out.
    init(of processes: [Int32], isExact: Bool) {
        for process in processes {
            let text = ProcessFile.text(process, isExact ? "smaps_rollup" : "status") ?? ""
            ownBytes += Self.kibibytes(text, [isExact ? "Pss_Anon:" : "RssAnon:"]) * 1024
            sharedBytes += Self.kibibytes(text, [isExact ? "Pss_Shmem:" : "RssShmem:"]) * 1024
            let peak = Self.kibibytes(text, ["VmHWM:"]) * 1024
            if peak > 0 { peaks[process] = peak }
        }
    }

    /// All of it, with open files in memory: some of those are mapped, and then among the shared pages already.
    func total(withMemoryFiles fileBytes: UInt64) -> UInt64 { ownBytes + max(sharedBytes, fileBytes) }

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

    /// What such files take: on a disk or in a mounted file system, and in memory alone (memfd).
    struct Usage {
        var storedBytes: UInt64 = 0
        var memoryBytes: UInt64 = 0
    }

    static func usage(of processes: [Int32]) -> Usage {
        var seen: Set<File> = []
        var usage = Usage()
        for process in processes {
            for descriptor in ProcessFile.names(process, "fd") {
                var status = stat()
                guard stat("/proc/\(process)/fd/\(descriptor)", &status) == 0, status.st_nlink == 0,
                    status.st_mode & S_IFMT == S_IFREG
                else { continue }
                let file = File(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
                guard seen.insert(file).inserted else { continue }
                let bytes = UInt64(max(0, status.st_blocks)) * 512
                if isMemoryFile(process, descriptor) { usage.memoryBytes += bytes } else { usage.storedBytes += bytes }
            }
        }
        return usage
    }

    private static func isMemoryFile(_ process: Int32, _ descriptor: String) -> Bool {
        let prefix = "/memfd:"
        var target = [CChar](repeating: 0, count: prefix.utf8.count)
        let count = readlink("/proc/\(process)/fd/\(descriptor)", &target, target.count)
        return count == target.count && target.map { UInt8(bitPattern: $0) }.elementsEqual(prefix.utf8)
    }
}
