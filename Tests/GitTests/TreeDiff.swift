import Domain
import Files
import Foundation
import Testing

/// The difference of two directories as a change set, with the changed files put where an overlay would keep them.
struct TreeDiff {
    let before: String
    let after: String
    let upper: String

    func changes() throws -> [Change] {
        try FileManager.default.createDirectory(atPath: upper, withIntermediateDirectories: true)
        let old = try list(before)
        let new = try list(after)
        var changes: [Change] = []
        for (name, status) in new.sorted(by: { $0.key < $1.key }) {
            let previous = old[name]
            let isSame = try previous.map { try isEqual(name, $0, status) } ?? false
            if isSame, previous?.mode == status.mode { continue }
            try keep(name, status)
            let kind: ChangeKind = previous == nil ? .created : isSame ? .mode : .changed
            let path = try #require(RelativePath(name))
            let link =
                status.kind == .symlink
                ? Array(try FileManager.default.destinationOfSymbolicLink(atPath: after + "/" + name).utf8) : nil
            let change = Change(
                path: path,
                kind: kind,
                file: fileKind(status),
                size: status.size,
                mode: status.mode,
                previousMode: previous?.mode,
                linkTarget: link
            )
            changes.append(change)
        }
        for (name, status) in old.sorted(by: { $0.key < $1.key }) where new[name] == nil {
            changes.append(Change(path: try #require(RelativePath(name)), kind: .deleted, file: fileKind(status)))
        }
        return changes
    }

    private func list(_ root: String) throws -> [String: FileStatus] {
        var found: [String: FileStatus] = [:]
        var waiting = [""]
        while let next = waiting.popLast() {
            let directory = try Directory(trustedPath: root + "/" + next)
            for entry in try directory.entries() {
                let name = (next.isEmpty ? "" : next + "/") + String(decoding: entry.name, as: UTF8.self)
                let status = try directory.status(entry.name)
                found[name] = status
                if status.kind == .directory { waiting.append(name) }
            }
        }
        return found
    }

    private func isEqual(_ name: String, _ old: FileStatus, _ new: FileStatus) throws -> Bool {
        guard old.kind == new.kind else { return false }
        switch new.kind {
        case .file:
            return old.size == new.size
                && FileManager.default.contentsEqual(atPath: before + "/" + name, andPath: after + "/" + name)
        case .symlink:
            return try FileManager.default.destinationOfSymbolicLink(atPath: before + "/" + name)
                == FileManager.default.destinationOfSymbolicLink(atPath: after + "/" + name)
        default: return true
        }
    }

    private func keep(_ name: String, _ status: FileStatus) throws {
        let target = upper + "/" + name
        let parent = (target as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        switch status.kind {
        case .directory: try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        case .fifo: #expect(mkfifo(target, 0o644) == 0)
        default: try FileManager.default.copyItem(atPath: after + "/" + name, toPath: target)
        }
    }

    private func fileKind(_ status: FileStatus) -> FileKind {
        switch status.kind {
        case .file: .file
        case .directory: .directory
        case .symlink: .symlink
        case .fifo: .fifo
        case .socket: .socket
        case .characterDevice, .blockDevice: .device
        }
    }
}
