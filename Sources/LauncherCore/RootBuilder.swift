import CLinux
import Glibc

/// Builds the root that the command will see, from nothing, on a tmpfs. Trusted code only runs here, and every target
/// is reached by descriptor beneath the new root without following a link.
struct RootBuilder {
    let plan: LaunchPlanView
    let scratch: Scratch
    /// Where the sources come from; nil if they are open already.
    let link: Link?

    /// Returns after everything is in the new root and it has become the root.
    func build() throws(LaunchFailure) {
        var root = try NewRoot(scratch)
        for row in 0..<plan.operationCount { try perform(row, &root) }
        try root.enter()
    }

    private func perform(_ row: Int, _ root: inout NewRoot) throws(LaunchFailure) {
        let operation = plan.operation(row)
        let slot = scratch.slots(of: row)
        guard let kind = operation.kind else { throw LaunchFailure(.mount, code: EINVAL, path: operation.target) }
        if let link { try link.take(slot, kind.sourceCount) }
        switch kind {
        case .tree, .live:
            if slot[0] >= 0 { try attachTree(slot[0], operation, &root) }
        case .directory:
            close(try root.makeDirectory(operation.target, mode: operation.mode))
        case .link:
            try root.makeLink(operation.target, to: operation.source)
        case .file:
            try root.makeFile(operation)
        case .temporary:
            let tree = bailey_tmpfs(operation.source, operation.second, operation.third, operation.attributes)
            try attachNew(tree, operation, &root)
        case .processes:
            try attachNew(bailey_proc(), operation, &root)
        case .terminals:
            try attachNew(bailey_devpts(), operation, &root)
        case .overlay:
            try attachOverlay(slot, operation, &root)
        case .hide:
            try hide(operation, &root)
        case .view:
            if slot[0] >= 0 { try attachView(slot[0], operation, &root) }
        case .rebind:
            let place = root.openAsItIs(operation.target)
            try attachCopy(of: place, to: place, operation, &root)
        case .cover:
            try cover(operation, &root)
        }
    }

    private func attachNew(_ tree: Int32, _ operation: OperationView, _ root: inout NewRoot) throws(LaunchFailure) {
        guard tree >= 0 else { throw LaunchFailure(.mount, code: errno, path: operation.target) }
        let target = try root.makeDirectory(operation.target, mode: operation.mode)
        try root.attach(tree, target, operation.target)
    }

    private func attachTree(_ tree: Int32, _ operation: OperationView, _ root: inout NewRoot) throws(LaunchFailure) {
        var status = stat()
        guard fstat(tree, &status) == 0 else { throw LaunchFailure(.mount, code: errno, path: operation.target) }
        let isDirectory = status.st_mode & S_IFMT == S_IFDIR
        let target =
            isDirectory
            ? try root.makeDirectory(operation.target, mode: 0o755)
            : try root.makeEmptyFile(operation.target)
        try root.attach(tree, target, operation.target)
    }

    /// The layers are attached for the moment of the mount, because kernels before 6.15 take none that is attached
    /// nowhere.
    private func attachOverlay(
        _ slot: UnsafeMutablePointer<Int32>,
        _ operation: OperationView,
        _ root: inout NewRoot
    ) throws(LaunchFailure) {
        let target = try root.makeDirectory(operation.target, mode: 0o755)
        try root.workBeside()
        try root.attachBeside(slot[0], NewRoot.Place.lower)
        if slot[1] >= 0 { try root.attachBeside(slot[1], NewRoot.Place.mask) }
        try root.attachBeside(slot[2], NewRoot.Place.layers)
        let lower = constant(slot[1] >= 0 ? "mask:lower" : "lower")
        var option: UnsafePointer<CChar>? = nil
        let tree = bailey_overlay(lower, constant("layers/upper"), constant("layers/work"), &option)
        guard tree >= 0 else { throw LaunchFailure(.overlay, code: errno, path: option) }
        try root.attach(tree, target, operation.target)
    }

    /// An overlay has inodes of its own, and a socket is found by its inode: what listens on the host is out of reach,
    /// which neither a read-only mount nor Landlock (before its ABI 9) would see to.
    private func attachView(_ tree: Int32, _ operation: OperationView, _ root: inout NewRoot) throws(LaunchFailure) {
        var status = stat()
        guard fstat(tree, &status) == 0 else { throw LaunchFailure(.mount, code: errno, path: operation.target) }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: break
        case S_IFREG: return try attachTree(tree, operation, &root)
        default: throw LaunchFailure(.mount, code: EINVAL, path: operation.target)
        }
        let target = try root.makeDirectory(operation.target, mode: 0o755)
        try root.workBeside()
        try root.attachBeside(tree, NewRoot.Place.lower)
        var option: UnsafePointer<CChar>? = nil
        // A view without an upper directory takes two lower ones.
        let view = bailey_overlay(constant("lower:empty"), nil, nil, &option)
        guard view >= 0 else { throw LaunchFailure(.overlay, code: errno, path: operation.source) }
        try root.attach(view, target, operation.target)
    }

    /// Covers a file by /dev/null and a directory by an empty one; where there is nothing there is nothing to hide.
    private func hide(_ operation: OperationView, _ root: inout NewRoot) throws(LaunchFailure) {
        let target = root.open(operation.target)
        if target < 0, errno == ENOENT { return }
        guard target >= 0 else { throw LaunchFailure(.mount, code: errno, path: operation.target) }
        var status = stat()
        guard fstat(target, &status) == 0 else { throw LaunchFailure(.mount, code: errno, path: operation.target) }
        let isDirectory = status.st_mode & S_IFMT == S_IFDIR
        let cover = isDirectory ? root.emptyTree() : root.cloneTree(constant("dev/null"))
        guard cover >= 0 else { throw LaunchFailure(.mount, code: errno, path: operation.target) }
        root.forgetParent()
        try root.attach(cover, target, operation.target)
    }

    /// What must not be seen is covered or the launch fails: a name that vanished since it was found may come back.
    /// What is only replaced is optional.
    private func cover(_ operation: OperationView, _ root: inout NewRoot) throws(LaunchFailure) {
        let target = root.openAsItIs(operation.target)
        if target < 0, errno == ENOENT, operation.isOptional { return }
        var status = stat()
        guard target >= 0, fstat(target, &status) == 0 else {
            throw LaunchFailure(.mount, code: errno, path: operation.target)
        }
        let isDirectory = status.st_mode & S_IFMT == S_IFDIR
        let source = root.open(isDirectory ? operation.second : operation.source)
        try attachCopy(of: source, to: target, operation, &root)
        close(source)
    }

    private func attachCopy(
        of source: Int32,
        to target: Int32,
        _ operation: OperationView,
        _ root: inout NewRoot
    ) throws(LaunchFailure) {
        let tree = source >= 0 ? bailey_tree_clone(source, 0) : -1
        guard tree >= 0, bailey_tree_attributes(tree, operation.attributes, -1, 0) == 0 else {
            throw LaunchFailure(.mount, code: errno, path: operation.target)
        }
        root.forgetParent()
        try root.attach(tree, target, operation.target)
    }
}
