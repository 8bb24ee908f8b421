import CLinux
import Glibc

/// The root that is being built, and beside it, out of its sight, the places that building it needs.
///
/// Both lie on one tmpfs. Its directory `root` becomes the new root; what is mounted on the others goes with the old
/// root, all of it in one step: each unmounting on its own would make the kernel wait for every processor.
///
/// Every path is reached by descriptor beneath the new root without following a link. Neighbours follow each other in a
/// plan, so the last parent stays open.
struct NewRoot {
    /// Places beside the root: mount points for the layers of an overlay, and an empty directory.
    enum Place {
        static var lower: UnsafePointer<CChar> { constant("lower") }
        static var mask: UnsafePointer<CChar> { constant("mask") }
        static var layers: UnsafePointer<CChar> { constant("layers") }
        static var empty: UnsafePointer<CChar> { constant("empty") }
    }

    let scratch: Scratch
    /// The tmpfs.
    private let stage: Int32
    private let root: Int32
    private var parent: Int32 = -1
    /// The path of ``parent``: the beginning of a text of the plan.
    private var parentPath: UnsafePointer<CChar>
    private var parentBytes = -1

    init(_ scratch: Scratch) throws(LaunchFailure) {
        let stage = bailey_tmpfs("16m", "4096", "0755", UInt32(BAILEY_TREE_NOSUID | BAILEY_TREE_NODEV))
        guard stage >= 0 else { throw LaunchFailure(.makeRoot, code: errno) }
        // /tmp of the old root is only a mount point here; `/proc` must stay visible until ours is mounted.
        var target = bailey_open("/tmp", BAILEY_O_PATH | O_DIRECTORY | O_NOFOLLOW, 0)
        if target < 0 { target = bailey_open("/usr", BAILEY_O_PATH | O_DIRECTORY | O_NOFOLLOW, 0) }
        guard target >= 0, bailey_tree_attach(stage, target) == 0 else { throw LaunchFailure(.makeRoot, code: errno) }
        close(target)
        guard mkdirat(stage, Place.lower, 0o700) == 0, mkdirat(stage, Place.mask, 0o700) == 0,
            mkdirat(stage, Place.layers, 0o700) == 0, mkdirat(stage, Place.empty, 0o555) == 0,
            mkdirat(stage, "root", 0o755) == 0
        else { throw LaunchFailure(.makeRoot, code: errno) }
        // A root must be a mount of its own: the directory is mounted on itself.
        let place = Self.openBeneath(constant("root"), stage)
        let tree = place >= 0 ? bailey_tree_clone(place, 0) : -1
        guard tree >= 0, bailey_tree_attach(tree, place) == 0 else { throw LaunchFailure(.makeRoot, code: errno) }
        close(place)
        self.scratch = scratch
        self.stage = stage
        root = tree
        parentPath = constant("")
    }

    /// Makes it the root, read-only. What lay beside it is gone with the old one.
    mutating func enter() throws(LaunchFailure) {
        forgetParent()
        guard bailey_enter_root(root) == 0, bailey_mount_readonly(root) == 0 else {
            throw LaunchFailure(.enterRoot, code: errno)
        }
        close(root)
        close(stage)
    }

    // What lies beside.

    /// The working directory for the mount of an overlay, whose layers are named relative to it, so that no host path
    /// shows in the mount table.
    func workBeside() throws(LaunchFailure) {
        guard fchdir(stage) == 0 else { throw LaunchFailure(.overlay, code: errno) }
    }

    /// Mounts a layer beside the root, over the one that an overlay before had there.
    func attachBeside(_ tree: Int32, _ place: UnsafePointer<CChar>) throws(LaunchFailure) {
        let target = Self.openBeneath(place, stage)
        guard target >= 0, bailey_tree_attach(tree, target) == 0 else {
            throw LaunchFailure(.overlay, code: errno, path: place)
        }
        close(target)
        close(tree)
    }

    /// A detached, read-only, empty directory.
    func emptyTree() -> Int32 {
        let place = Self.openBeneath(Place.empty, stage)
        let tree = place >= 0 ? bailey_tree_clone(place, 0) : -1
        if place >= 0 { close(place) }
        let readOnly = UInt32(BAILEY_TREE_READONLY | BAILEY_TREE_NOSUID | BAILEY_TREE_NODEV | BAILEY_TREE_NOEXEC)
        guard tree >= 0, bailey_tree_attributes(tree, readOnly, -1, 0) == 0 else { return -1 }
        return tree
    }

    // What lies in it.

    /// Mounts a tree on an open place of the root.
    func attach(_ tree: Int32, _ target: Int32, _ path: UnsafePointer<CChar>) throws(LaunchFailure) {
        guard bailey_tree_attach(tree, target) == 0 else { throw LaunchFailure(.mount, code: errno, path: path) }
        close(target)
        close(tree)
    }

    /// A detached copy of what is mounted at a path, or -1 with errno set.
    func cloneTree(_ path: UnsafePointer<CChar>) -> Int32 {
        let place = open(path)
        guard place >= 0 else { return -1 }
        let tree = bailey_tree_clone(place, 0)
        close(place)
        return tree
    }

    /// What is there already, or -1 with errno set.
    func open(_ path: UnsafePointer<CChar>) -> Int32 { Self.openBeneath(path, root) }

    /// As ``open(_:)``; a symbolic link at the end is opened itself, on the way it is refused.
    func openAsItIs(_ path: UnsafePointer<CChar>) -> Int32 { Self.openBeneath(path, root, O_NOFOLLOW) }

    mutating func makeLink(_ path: UnsafePointer<CChar>, to end: UnsafePointer<CChar>) throws(LaunchFailure) {
        let name = try openParent(path)
        guard symlinkat(end, parent, name) == 0 else { throw LaunchFailure(.mount, code: errno, path: path) }
    }

    mutating func makeFile(_ operation: OperationView) throws(LaunchFailure) {
        let name = try openParent(operation.target)
        let file = bailey_openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, operation.mode)
        guard file >= 0, write(file, operation.source, operation.sourceBytes) == operation.sourceBytes else {
            throw LaunchFailure(.mount, code: errno, path: operation.target)
        }
        close(file)
    }

    /// A mount point for a file. An existing one, for example in a tree that was shown before, is taken as it is.
    mutating func makeEmptyFile(_ path: UnsafePointer<CChar>) throws(LaunchFailure) -> Int32 {
        let name = try openParent(path)
        let made = bailey_openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o444)
        if made >= 0 { return made }
        let target = Self.openBeneath(name, parent)
        guard target >= 0 else { throw LaunchFailure(.mount, code: errno, path: path) }
        return target
    }

    /// The directory at an absolute path; it and its parents are made where they are missing.
    mutating func makeDirectory(_ path: UnsafePointer<CChar>, mode: UInt32) throws(LaunchFailure) -> Int32 {
        let name = try openParent(path)
        if name[0] != 0, mkdirat(parent, name, mode) != 0, errno != EEXIST, errno != EROFS {
            throw LaunchFailure(.mount, code: errno, path: path)
        }
        let directory = Self.openBeneath(name, parent)
        guard directory >= 0 else { throw LaunchFailure(.mount, code: errno, path: path) }
        return directory
    }

    /// Opens the parent of the last component, which it returns; makes what is missing on the way.
    ///
    /// Whoever makes a place to mount on opens a parent above it, so that what is kept open is never covered. Whoever
    /// mounts on a place that was there calls ``forgetParent()``.
    private mutating func openParent(_ path: UnsafePointer<CChar>) throws(LaunchFailure) -> UnsafePointer<CChar> {
        let beneath = beneathRoot(path)
        var name = beneath
        var bytes = 0
        while beneath[bytes] != 0 {
            if beneath[bytes] == 0x2F { name = beneath + bytes + 1 }
            bytes += 1
        }
        let length = name - beneath
        if length == parentBytes, memcmp(beneath, parentPath, length) == 0 { return name }
        guard length < Scratch.pathBytesMax else { throw LaunchFailure(.mount, code: ENAMETOOLONG, path: path) }
        forgetParent()
        parent = try walk(beneath, length, path)
        parentPath = beneath
        parentBytes = length
        return name
    }

    /// Walks down `length` bytes of a path, component by component, and makes what is missing.
    private func walk(
        _ beneath: UnsafePointer<CChar>,
        _ length: Int,
        _ path: UnsafePointer<CChar>
    ) throws(LaunchFailure) -> Int32 {
        memcpy(scratch.path, beneath, length)
        scratch.path[length] = 0
        let known = Self.openBeneath(UnsafePointer(scratch.path), root)
        if known >= 0 { return known }
        guard errno == ENOENT else { throw LaunchFailure(.mount, code: errno, path: path) }
        var directory = Self.openBeneath(constant("."), root)
        guard directory >= 0 else { throw LaunchFailure(.mount, code: errno, path: path) }
        var start = 0
        while start < length {
            var end = start
            while end < length, scratch.path[end] != 0x2F { end += 1 }
            scratch.path[end] = 0
            let component = scratch.path + start
            start = end + 1
            if component[0] == 0 { continue }
            if mkdirat(directory, component, 0o755) != 0, errno != EEXIST, errno != EROFS {
                throw LaunchFailure(.mount, code: errno, path: path)
            }
            let next = Self.openBeneath(UnsafePointer(component), directory)
            guard next >= 0 else { throw LaunchFailure(.mount, code: errno, path: path) }
            close(directory)
            directory = next
        }
        return directory
    }

    /// The next operation opens its parent anew.
    mutating func forgetParent() {
        if parent >= 0 { close(parent) }
        parent = -1
        parentBytes = -1
    }

    private static func openBeneath(_ path: UnsafePointer<CChar>, _ root: Int32, _ flags: Int32 = 0) -> Int32 {
        let rules = UInt64(BAILEY_RESOLVE_BENEATH | BAILEY_RESOLVE_NO_SYMLINKS | BAILEY_RESOLVE_NO_MAGICLINKS)
        return bailey_openat2(root, beneathRoot(path), UInt64(BAILEY_O_PATH | flags), 0, rules)
    }
}
