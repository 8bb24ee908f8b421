import Domain
import Files
import Glibc

/// A control group that holds a sandbox's memory, in version 2 where it is delegated, else in version 1.
struct MemoryGroup: Sendable {
    let mechanism: LimitMechanism
    private let path: String

    /// Nil where no hierarchy can be used; the watchdog holds the limit then.
    static func make(run: RunID, bytesMax: UInt64) -> MemoryGroup? {
        guard let membership = text("/proc/self/cgroup") else { return nil }
        let lines = membership.split(separator: "\n")
        let name = "bailey-\(getpid())-\(run)"
        if let own = lines.first(where: { $0.hasPrefix("0::") })?.dropFirst(3),
            let parent = versionTwoParent(String(own)),
            let group = create(parent, name, "memory.max", bytesMax, .cgroupV2)
        {
            return group
        }
        let controller = lines.first { line in
            line.split(separator: ":", omittingEmptySubsequences: false).dropFirst().first == "memory"
        }
        guard let controller, let own = controller.split(separator: ":", maxSplits: 2).last else { return nil }
        let root = "/sys/fs/cgroup/memory"
        for parent in [root + own, root] {
            if let group = create(parent, name, "memory.limit_in_bytes", bytesMax, .cgroupV1) { return group }
        }
        return nil
    }

    /// The group's list of members, for the launcher to write itself into; its children follow it.
    ///
    /// In version 1 that is the list of threads: the launcher has only one, and moving a process as a whole makes the
    /// kernel wait until no thread anywhere can be born or die, which takes it 8 to 15 ms.
    func memberList() throws(SystemError) -> Descriptor {
        let path = path + (mechanism == .cgroupV1 ? "/tasks" : "/cgroup.procs")
        return Descriptor(owning: try SystemError.check("open", open(path, O_WRONLY | O_CLOEXEC), path: path))
    }

    /// How often the kernel had to kill a process of the group.
    var killCount: Int {
        let file = mechanism == .cgroupV2 ? "/memory.events" : "/memory.oom_control"
        for line in Self.text(path + file)?.split(separator: "\n") ?? [] where line.hasPrefix("oom_kill ") {
            return Int(line.dropFirst(9)) ?? 0
        }
        return 0
    }

    var peakBytes: UInt64? {
        let file = mechanism == .cgroupV2 ? "/memory.peak" : "/memory.max_usage_in_bytes"
        return Self.text(path + file).flatMap { UInt64($0.prefix { $0.isNumber }) }
    }

    /// Removes the empty group; false where the kernel has not let go of the last process yet.
    func remove() -> Bool { rmdir(path) == 0 || errno != EBUSY }

    private static func create(
        _ parent: String,
        _ name: String,
        _ limitFile: String,
        _ bytesMax: UInt64,
        _ mechanism: LimitMechanism
    ) -> MemoryGroup? {
        guard access(parent, W_OK) == 0 else { return nil }
        sweep(parent)
        let path = parent + "/" + name
        guard mkdir(path, 0o755) == 0 else { return nil }
        guard put(path + "/" + limitFile, String(bytesMax)) else {
            rmdir(path)
            return nil
        }
        return MemoryGroup(mechanism: mechanism, path: path)
    }

    /// Removes groups that a killed Bailey left behind: their name holds its process id.
    private static func sweep(_ parent: String) {
        guard let directory = try? Directory(trustedPath: parent), let entries = try? directory.entries(atMost: 65536)
        else { return }
        for entry in entries {
            let name = String(decoding: entry.name, as: UTF8.self)
            guard name.hasPrefix("bailey-"), let owner = Int32(name.dropFirst(7).prefix { $0.isNumber }),
                kill(owner, 0) != 0, errno == ESRCH
            else { continue }
            rmdir(parent + "/" + name)
        }
    }

    /// The nearest group above ours whose children have the memory controller and that we may add to.
    private static func versionTwoParent(_ own: String) -> String? {
        for root in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] {
            var group = own
            while true {
                let path = root + group
                if let controllers = text(path + "/cgroup.subtree_control"),
                    controllers.split(whereSeparator: \.isWhitespace).contains("memory"), access(path, W_OK) == 0
                {
                    return path
                }
                guard let slash = group.lastIndex(of: "/"), group != "/" else { break }
                group = String(group[..<slash])
            }
        }
        return nil
    }

    private static func text(_ path: String) -> String? {
        (try? FileContent.read(trustedPath: path, bytesMax: 1 << 16)).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func put(_ path: String, _ text: String) -> Bool {
        let raw = open(path, O_WRONLY | O_CLOEXEC)
        guard raw >= 0 else { return false }
        let file = Descriptor(owning: raw)
        return (try? FileContent.write(Array(text.utf8), to: file.raw)) != nil
    }
}
