import CLinux
import Glibc

/// Builds the root that the command will see, from nothing, on a tmpfs. Trusted code only runs here, and every target
/// is reached by descriptor beneath the new root without following a link.
struct RootBuilder {
    let plan: LaunchPlanView
    let scratch: Scratch

    /// Returns after everything is in the new root and it has become the root.
    func build() throws(LaunchFailure) {
        let root = try makeRoot()
        for row in 0..<plan.operationCount { try perform(row, root) }
        guard bailey_enter_root(root) == 0 else { throw LaunchFailure(.enterRoot, code: errno) }
        guard bailey_mount_readonly(root) == 0 else { throw LaunchFailure(.enterRoot, code: errno) }
        close(root)
    }

    private func makeRoot() throws(LaunchFailure) -> Int32 {
        let root = bailey_tmpfs("4m", "4096", "0755", UInt32(BAILEY_TREE_NOSUID | BAILEY_TREE_NODEV))
        guard root >= 0 else { throw LaunchFailure(.makeRoot, code: errno) }
        // /tmp of the old root is only a mount point here; `/proc` must stay visible until ours is mounted.
        var target = bailey_open("/tmp", BAILEY_O_PATH | O_DIRECTORY | O_NOFOLLOW, 0)
        if target < 0 { target = bailey_open("/usr", BAILEY_O_PATH | O_DIRECTORY | O_NOFOLLOW, 0) }
        guard target >= 0, bailey_tree_attach(root, target) == 0 else { throw LaunchFailure(.makeRoot, code: errno) }
        close(target)
        return root
    }

    private func perform(_ row: Int, _ root: Int32) throws(LaunchFailure) {
        let operation = plan.operation(row)
        let slot = scratch.descriptors + row * Scratch.descriptorsPerOperation
        guard let kind = operation.kind else { throw LaunchFailure(.mount, code: EINVAL, path: operation.target) }
        switch kind {
        case .tree, .live:
            if slot[0] >= 0 { try attachTree(slot[0], operation, root) }
        case .directory:
            close(try makeDirectory(operation.target, mode: operation.mode, root))
        case .link:
            try makeLink(operation, root)
        case .file:
            try makeFile(operation, root)
        case .temporary:
            let tree = bailey_tmpfs(operation.source, operation.second, operation.third, operation.attributes)
            try attachNew(tree, operation, root)
        case .processes:
            try attachNew(bailey_proc(), operation, root)
        case .terminals:
            try attachNew(bailey_devpts(), operation, root)
        case .overlay:
            try attachOverlay(slot, operation, root)
        case .hide:
            try hide(operation, root)
        case .view:
            if slot[0] >= 0 { try attachView(slot[0], operation, root) }
        case .rebind:
            let place = openAsItIs(operation.target, root)
            try attachCopy(of: place, to: place, operation)
        case .cover:
            try cover(operation, root)
        }
    }

    private func attachNew(_ tree: Int32, _ operation: OperationView, _ root: Int32) throws(LaunchFailure) {
        guard tree >= 0 else { throw LaunchFailure(.mount, code: errno, path: operation.target) }
        let target = try makeDirectory(operation.target, mode: operation.mode, root)
        try attach(tree, target, operation.target)
    }

    private func attachTree(_ tree: Int32, _ operation: OperationView, _ root: Int32) throws(LaunchFailure) {
        var status = stat()
        guard fstat(tree, &status) == 0 else { throw LaunchFailure(.mount, code: errno, path: operation.target) }
        let isDirectory = status.st_mode & S_IFMT == S_IFDIR
        let target =
            isDirectory
            ? try makeDirectory(operation.target, mode: 0o755, root)
            : try makeEmptyFile(operation.target, root)
        try attach(tree, target, operation.target)
    }

    private func attach(_ tree: Int32, _ target: Int32, _ path: UnsafePointer<CChar>) throws(LaunchFailure) {
        guard bailey_tree_attach(tree, target) == 0 else { throw LaunchFailure(.mount, code: errno, path: path) }
        close(target)
        close(tree)
    }

    /// The layers are attached for the moment of the mount, because kernels before 6.15 take none that is attached
    /// nowhere.
    private func attachOverlay(
        _ slot: UnsafeMutablePointer<Int32>,
        _ operation: OperationView,
        _ root: Int32
    ) throws(LaunchFailure) {
        let target = try makeDirectory(operation.target, mode: 0o755, root)
        guard fchdir(root) == 0 else { throw LaunchFailure(.overlay, code: errno) }
        try attachLayer(slot[0], constant(".lower"), root)
        if slot[1] >= 0 { try attachLayer(slot[1], constant(".mask"), root) }
        try attachLayer(slot[2], constant(".layers"), root)
        // Relative to the new root, so that no host path shows in the mount table.
        let lower = constant(slot[1] >= 0 ? ".mask:.lower" : ".lower")
        var option: UnsafePointer<CChar>? = nil
        let tree = bailey_overlay(lower, constant(".layers/upper"), constant(".layers/work"), &option)
        guard tree >= 0 else { throw LaunchFailure(.overlay, code: errno, path: option) }
        try detachLayer(slot[0], constant(".lower"), root)
        if slot[1] >= 0 { try detachLayer(slot[1], constant(".mask"), root) }
        try detachLayer(slot[2], constant(".layers"), root)
        try attach(tree, target, operation.target)
    }

    /// An overlay has inodes of its own, and a socket is found by its inode: what listens on the host is out of reach,
    /// which neither a read-only mount nor Landlock (before its ABI 9) would see to.
    private func attachView(_ tree: Int32, _ operation: OperationView, _ root: Int32) throws(LaunchFailure) {
        var status = stat()
        guard fstat(tree, &status) == 0 else { throw LaunchFailure(.mount, code: errno, path: operation.target) }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: break
        case S_IFREG: return try attachTree(tree, operation, root)
        default: throw LaunchFailure(.mount, code: EINVAL, path: operation.target)
        }
        let target = try makeDirectory(operation.target, mode: 0o755, root)
        guard fchdir(root) == 0 else { throw LaunchFailure(.overlay, code: errno) }
        try attachLayer(tree, constant(".lower"), root)
        // A view without an upper directory takes two lower ones; /mnt is empty and stays.
        close(try makeDirectory(constant("mnt"), mode: 0o755, root))
        var option: UnsafePointer<CChar>? = nil
        let view = bailey_overlay(constant(".lower:mnt"), nil, nil, &option)
        guard view >= 0 else { throw LaunchFailure(.overlay, code: errno, path: operation.source) }
        try detachLayer(tree, constant(".lower"), root)
        try attach(view, target, operation.target)
    }

    private func attachLayer(_ tree: Int32, _ name: UnsafePointer<CChar>, _ root: Int32) throws(LaunchFailure) {
        let target = try makeDirectory(name, mode: 0o700, root)
        guard bailey_tree_attach(tree, target) == 0 else { throw LaunchFailure(.overlay, code: errno, path: name) }
        close(target)
    }

    private func detachLayer(_ tree: Int32, _ name: UnsafePointer<CChar>, _ root: Int32) throws(LaunchFailure) {
        close(tree)
        guard bailey_detach(name) == 0, unlinkat(root, name, AT_REMOVEDIR) == 0 else {
            throw LaunchFailure(.overlay, code: errno, path: name)
        }
    }

    /// Covers a file by /dev/null and a directory by an empty one; where there is nothing there is nothing to hide.
    private func hide(_ operation: OperationView, _ root: Int32) throws(LaunchFailure) {
        let target = openBeneath(operation.target, root)
        if target < 0, errno == ENOENT { return }
        guard target >= 0 else { throw LaunchFailure(.mount, code: errno, path: operation.target) }
        var status = stat()
        guard fstat(target, &status) == 0 else { throw LaunchFailure(.mount, code: errno, path: operation.target) }
        let cover: Int32
        if status.st_mode & S_IFMT == S_IFDIR {
            let readOnly = UInt32(BAILEY_TREE_READONLY | BAILEY_TREE_NOSUID | BAILEY_TREE_NODEV | BAILEY_TREE_NOEXEC)
            cover = bailey_tmpfs(constant("4k"), constant("2"), constant("0555"), readOnly)
        } else {
            let null = openBeneath(constant("dev/null"), root)
            cover = null >= 0 ? bailey_tree_clone(null, 0) : -1
            if null >= 0 { close(null) }
        }
        guard cover >= 0 else { throw LaunchFailure(.mount, code: errno, path: operation.target) }
        try attach(cover, target, operation.target)
    }

    /// What must not be seen is covered or the launch fails: a name that vanished since it was found may come back.
    private func cover(_ operation: OperationView, _ root: Int32) throws(LaunchFailure) {
        let target = openAsItIs(operation.target, root)
        var status = stat()
        guard target >= 0, fstat(target, &status) == 0 else {
            throw LaunchFailure(.mount, code: errno, path: operation.target)
        }
        let isDirectory = status.st_mode & S_IFMT == S_IFDIR
        let source = openBeneath(isDirectory ? operation.second : operation.source, root)
        try attachCopy(of: source, to: target, operation)
        close(source)
    }

    private func attachCopy(
        of source: Int32,
        to target: Int32,
        _ operation: OperationView
    ) throws(LaunchFailure) {
        let tree = source >= 0 ? bailey_tree_clone(source, 0) : -1
        guard tree >= 0, bailey_tree_attributes(tree, operation.attributes, -1, 0) == 0 else {
            throw LaunchFailure(.mount, code: errno, path: operation.target)
        }
        try attach(tree, target, operation.target)
    }

    private func makeLink(_ operation: OperationView, _ root: Int32) throws(LaunchFailure) {
        let parent = try makeParent(operation.target, root)
        guard symlinkat(operation.source, parent.directory, parent.name) == 0 else {
            throw LaunchFailure(.mount, code: errno, path: operation.target)
        }
        close(parent.directory)
    }

    private func makeFile(_ operation: OperationView, _ root: Int32) throws(LaunchFailure) {
        let parent = try makeParent(operation.target, root)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
        let file = bailey_openat(parent.directory, parent.name, flags, operation.mode)
        guard file >= 0, write(file, operation.source, operation.sourceBytes) == operation.sourceBytes else {
            throw LaunchFailure(.mount, code: errno, path: operation.target)
        }
        close(file)
        close(parent.directory)
    }

    /// A mount point for a file. An existing one, for example in a tree that was shown before, is taken as it is.
    private func makeEmptyFile(_ path: UnsafePointer<CChar>, _ root: Int32) throws(LaunchFailure) -> Int32 {
        let parent = try makeParent(path, root)
        let made = bailey_openat(parent.directory, parent.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o444)
        if made >= 0 { close(made) }
        close(parent.directory)
        let target = openBeneath(path, root)
        guard target >= 0 else { throw LaunchFailure(.mount, code: errno, path: path) }
        return target
    }

    /// The directory at an absolute path beneath the new root; it and its parents are made where they are missing.
    private func makeDirectory(_ path: UnsafePointer<CChar>, mode: UInt32, _ root: Int32) throws(LaunchFailure) -> Int32
    {
        let parent = try makeParent(path, root)
        if parent.name[0] != 0, mkdirat(parent.directory, parent.name, mode) != 0, errno != EEXIST, errno != EROFS {
            throw LaunchFailure(.mount, code: errno, path: path)
        }
        close(parent.directory)
        let directory = openBeneath(path, root)
        guard directory >= 0 else { throw LaunchFailure(.mount, code: errno, path: path) }
        return directory
    }

    /// Walks down to the last component, making what is missing.
    private func makeParent(
        _ path: UnsafePointer<CChar>,
        _ root: Int32
    ) throws(LaunchFailure) -> (directory: Int32, name: UnsafePointer<CChar>) {
        var directory = openBeneath(constant("."), root)
        guard directory >= 0 else { throw LaunchFailure(.mount, code: errno, path: path) }
        var rest = beneathRoot(path)
        while true {
            var length = 0
            while rest[length] != 0, rest[length] != 0x2F { length += 1 }
            if rest[length] == 0 { return (directory, rest) }
            guard length < Scratch.pathBytesMax else { throw LaunchFailure(.mount, code: ENAMETOOLONG, path: path) }
            for index in 0..<length { scratch.path[index] = rest[index] }
            scratch.path[length] = 0
            if mkdirat(directory, scratch.path, 0o755) != 0, errno != EEXIST, errno != EROFS {
                throw LaunchFailure(.mount, code: errno, path: path)
            }
            let next = openBeneath(scratch.path, directory)
            guard next >= 0 else { throw LaunchFailure(.mount, code: errno, path: path) }
            close(directory)
            directory = next
            rest += length
            while rest[0] == 0x2F { rest += 1 }
        }
    }

    /// As ``openBeneath(_:_:)``; a symbolic link at the end is opened itself, on the way it is refused.
    private func openAsItIs(_ path: UnsafePointer<CChar>, _ root: Int32) -> Int32 {
        let rules = UInt64(BAILEY_RESOLVE_BENEATH | BAILEY_RESOLVE_NO_SYMLINKS | BAILEY_RESOLVE_NO_MAGICLINKS)
        return bailey_openat2(root, beneathRoot(path), UInt64(BAILEY_O_PATH | O_NOFOLLOW), 0, rules)
    }

    private func openBeneath(_ path: UnsafePointer<CChar>, _ root: Int32) -> Int32 {
        let rules = UInt64(BAILEY_RESOLVE_BENEATH | BAILEY_RESOLVE_NO_SYMLINKS | BAILEY_RESOLVE_NO_MAGICLINKS)
        return bailey_openat2(root, beneathRoot(path), UInt64(BAILEY_O_PATH), 0, rules)
    }
}
