import CLinux
import Glibc

/// Looks for programs in the tree that a sandbox shows.
///
/// All its processes have one root, because nothing inside can take another. What the kernel does not hold in memory is
/// looked for only on a local disk, so that no dead file server stops who looks.
package final class ProgramLookup {
    /// PATH_MAX.
    private static let pathBytesMax = 4096
    /// Their meaning depends on who looks.
    private static let ownPlaces = ["/proc/", "/dev/fd/", "/dev/std"].map { Array($0.utf8) }
    /// Links at the root that programs are named by. The kernel does not follow them without taking down when it did.
    private static let rootLinks = ["bin", "sbin"]
    /// Magic numbers of linux/magic.h: ext2 to 4, XFS, Btrfs, F2FS, tmpfs, overlay.
    private static let localKinds: Set<Int64> = [
        0xEF53, 0x5846_5342, 0x9123_683E, 0xF2F5_2010, 0x0102_1994, 0x794C_7630,
    ]
    /// Flags of openat2.
    private enum Resolve {
        static let noCrossing: UInt64 = 0x01, noMagicLinks: UInt64 = 0x02, beneath: UInt64 = 0x08
        static let inRoot: UInt64 = 0x10, cached: UInt64 = 0x20
    }

    /// Trees of the host that are shown where they lie, the longest path first.
    private let trees: [[UInt8]]
    private var localTrees: [[UInt8]: Bool] = [:]
    private var root: Int32 = -1
    private var links: [(name: [UInt8], target: [UInt8])] = []

    /// - Parameter trees: directories of the host that the sandbox shows at the same path.
    package init(trees: [String] = []) {
        self.trees = trees.sorted { $0.utf8.count > $1.utf8.count }.map { Array(($0 + "/").utf8) }
    }

    deinit { forget() }

    /// Lets go of the sandbox's tree.
    package func forget() {
        if root >= 0 { close(root) }
        root = -1
    }

    /// A path from the sandbox's root on, as a waiting process means it.
    ///
    /// - Returns: nil if that cannot be said.
    package func place(of path: [UInt8], process: Int32) -> [UInt8]? {
        if root < 0 { attach(process) }
        guard !path.isEmpty, !Self.ownPlaces.contains(where: { path.starts(with: $0) }) else { return nil }
        if path[0] == UInt8(ascii: "/") {
            guard let link = links.first(where: { path.starts(with: $0.name) }) else { return path }
            return link.target + path[link.name.count...]
        }
        guard let directory = Self.target(of: "/proc/\(process)/cwd", in: AT_FDCWD), directory[0] == UInt8(ascii: "/")
        else { return nil }
        return directory + [UInt8(ascii: "/")] + path
    }

    private func attach(_ process: Int32) {
        root = bailey_open("/proc/\(process)/root", BAILEY_O_PATH | O_DIRECTORY, 0)
        links = Self.rootLinks.compactMap { name in
            guard let target = Self.target(of: name, in: root) else { return nil }
            let absolute = target[0] == UInt8(ascii: "/") ? target : [UInt8(ascii: "/")] + target
            return (Array("/\(name)/".utf8), absolute + [UInt8(ascii: "/")])
        }
    }

    private static func target(of path: String, in directory: Int32) -> [UInt8]? {
        var target = [CChar](repeating: 0, count: pathBytesMax)
        let count = readlinkat(directory, path, &target, target.count)
        guard count > 0, count < target.count else { return nil }
        return target[..<count].map(UInt8.init(bitPattern:))
    }

    /// Whether there is something to execute at a place.
    package func presence(at place: [UInt8]?) -> ExecutionRequest.Presence {
        guard let place, root >= 0 else { return .unknown }
        let found = Self.presence(place[...], in: root, Resolve.inRoot | Resolve.cached)
        guard found == .unknown, let tree = trees.first(where: { place.starts(with: $0) }), isLocal(tree) else {
            return found
        }
        let directory = Self.open(tree[...], in: root, Resolve.inRoot)
        guard directory >= 0 else { return .unknown }
        defer { close(directory) }
        // Whatever leads out of the tree may lead anywhere.
        return Self.presence(place[tree.count...], in: directory, Resolve.beneath | Resolve.noCrossing)
    }

    private func isLocal(_ tree: [UInt8]) -> Bool {
        if let known = localTrees[tree] { return known }
        var kind: Int64 = 0
        let place = bailey_open(String(decoding: tree, as: UTF8.self), BAILEY_O_PATH, 0)
        defer { if place >= 0 { close(place) } }
        let isLocal = place >= 0 && bailey_fstatfs_type(place, &kind) == 0 && Self.localKinds.contains(kind)
        localTrees[tree] = isLocal
        return isLocal
    }

    private static func presence(
        _ path: ArraySlice<UInt8>,
        in directory: Int32,
        _ resolve: UInt64
    ) -> ExecutionRequest.Presence {
        let found = open(path, in: directory, resolve)
        guard found >= 0 else { return errno == ENOENT || errno == ENOTDIR ? .missing : .unknown }
        defer { close(found) }
        var status = stat()
        guard fstat(found, &status) == 0 else { return .unknown }
        return status.st_mode & S_IFMT == S_IFREG && status.st_mode & 0o111 != 0 ? .there : .missing
    }

    private static func open(_ path: ArraySlice<UInt8>, in directory: Int32, _ resolve: UInt64) -> Int32 {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: path.count + 1) { text in
            for (row, byte) in path.enumerated() { text[row] = CChar(bitPattern: byte) }
            text[path.count] = 0
            let flags = UInt64(BAILEY_O_PATH)
            return bailey_openat2(directory, text.baseAddress, flags, 0, resolve | Resolve.noMagicLinks)
        }
    }
}
