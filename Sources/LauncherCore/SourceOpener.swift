import CLinux
import Glibc

/// Opens what the plan shows from the host, as detached mount trees with their attributes already set.
///
/// Runs outside of the namespaces where the launcher is root (only there may a tree be id-mapped), and inside them
/// otherwise (an ordinary user may clone a tree only in a mount namespace of their own).
struct SourceOpener {
    let plan: LaunchPlanView
    let scratch: Scratch
    private let root: Int32

    init(plan: LaunchPlanView, scratch: Scratch) throws(LaunchFailure) {
        root = bailey_open("/", BAILEY_O_PATH | O_DIRECTORY, 0)
        guard root >= 0 else { throw LaunchFailure(.openSource, code: errno) }
        self.plan = plan
        self.scratch = scratch
    }

    func openAll() throws(LaunchFailure) {
        for row in 0..<plan.operationCount { try open(row) }
        close(root)
    }

    /// Opens the sources of one operation; the slots of what is not there, and need not be, say so.
    func open(_ row: Int) throws(LaunchFailure) {
        let operation = plan.operation(row)
        let slot = scratch.slots(of: row)
        switch operation.kind {
        case .tree:
            slot[0] = try open(root, operation.source, operation, recursive: true)
        case .view, .live:
            slot[0] = try open(root, operation.source, operation, recursive: false)
        case .overlay:
            slot[0] = try open(root, operation.source, operation, recursive: false)
            if operation.second[0] != 0 { slot[1] = try open(root, operation.second, operation, recursive: false) }
            slot[2] = try open(root, operation.third, operation, recursive: false)
        default:
            break
        }
    }

    /// Symbolic links are refused everywhere in the path, so that nothing but the named place can be shown.
    private func open(
        _ root: Int32,
        _ source: UnsafePointer<CChar>,
        _ operation: OperationView,
        recursive: Bool
    ) throws(LaunchFailure) -> Int32 {
        let rules = UInt64(BAILEY_RESOLVE_BENEATH | BAILEY_RESOLVE_NO_SYMLINKS | BAILEY_RESOLVE_NO_MAGICLINKS)
        let place = bailey_openat2(root, beneathRoot(source), UInt64(BAILEY_O_PATH), 0, rules)
        guard place >= 0 else {
            if operation.isOptional { return -1 }
            throw LaunchFailure(.openSource, code: errno, path: source)
        }
        let tree = bailey_tree_clone(place, recursive ? 1 : 0)
        guard tree >= 0 else { throw LaunchFailure(.openSource, code: errno, path: source) }
        close(place)
        let identity = operation.identity >= 0 ? scratch.identities[operation.identity] : -1
        guard bailey_tree_attributes(tree, operation.attributes, identity, recursive ? 1 : 0) == 0 else {
            throw LaunchFailure(.openSource, code: errno, path: source)
        }
        return tree
    }
}

/// An absolute path as a path beneath the root's descriptor.
func beneathRoot(_ path: UnsafePointer<CChar>) -> UnsafePointer<CChar> {
    var rest = path
    while rest[0] == 0x2F { rest += 1 }
    return rest[0] == 0 ? dot : rest
}

/// "." in static storage.
private var dot: UnsafePointer<CChar> {
    UnsafeRawPointer((".\0" as StaticString).utf8Start).assumingMemoryBound(to: CChar.self)
}

/// A text constant as the C string it is.
func constant(_ text: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}
