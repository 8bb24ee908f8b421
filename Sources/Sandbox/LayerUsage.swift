import Domain
import Files

/// How much lies in the layers of a workspace.
struct LayerUsage {
    private(set) var bytes: UInt64 = 0
    private(set) var files: UInt64 = 0
    /// Some directory was closed to us or too deep.
    private(set) var isIncomplete = false
    private static let depthMax = 256

    init() {}

    /// Counts blocks, not sizes: a sparse file uses little. Stops as soon as a limit is passed.
    init(of directories: [String], _ limits: ResourceLimits) {
        for path in directories {
            guard let directory = try? Directory(trustedPath: path) else { continue }
            add(directory, depth: 0, limits)
        }
    }

    private mutating func add(_ directory: borrowing Directory, depth: Int, _ limits: ResourceLimits) {
        guard depth < Self.depthMax, let entries = try? directory.entries() else {
            isIncomplete = true
            return
        }
        for entry in entries {
            guard files <= limits.workspaceFiles, bytes <= limits.workspaceBytes else { return }
            files += 1
            if entry.kind == .directory {
                guard let child = try? directory.directory(entry.name) else {
                    isIncomplete = true
                    continue
                }
                add(child, depth: depth + 1, limits)
            } else if entry.kind == .file, let blocks = try? directory.allocatedBytes(entry.name) {
                bytes += blocks
            }
        }
    }
}
