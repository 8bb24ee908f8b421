import Domain
import Files
import Workspace

/// One pack that is to be verified.
package struct GitPack: Sendable, Hashable {
    /// Absolute path of the directory that holds the pack and its index. The command wrote what is in it.
    package let directory: String
    /// `pack-` and hexadecimal digits: the files are this with `.pack` and `.idx`.
    package let name: String
}

/// Verifies a pack and its index, in a sandbox: parsing packs is where git's own memory errors were.
package typealias PackVerifier = @Sendable (GitPack) throws -> Bool

/// Looks into changed files of a git directory.
struct GitContentCheck {
    /// Bounds on one inspection.
    enum Limits {
        /// Inflated bytes of loose objects together: a stream of a few bytes can hold thousands of times as much.
        static let inflatedBytesMax = 4 << 30
    }

    private let verifyPack: PackVerifier?
    private var verified: [GitPack: Bool] = [:]
    private var inflatedBytesLeft = Limits.inflatedBytesMax

    init(verifyPack: PackVerifier?) { self.verifyPack = verifyPack }

    mutating func inspect(
        _ change: Change,
        _ check: GitChangeRules.Check,
        in directory: GitDirectory,
        files: TreeFiles,
        format: ObjectFormat
    ) throws -> Inspection {
        func text(_ bytesMax: Int, _ isRight: ([UInt8]) -> Bool) throws -> Inspection {
            let content = try? files.readChanged(change, bytesMax: bytesMax)
            guard let content else {
                let detail = "it cannot be read, is too large or is not what was listed"
                return .finding(GitRule.content.finding(change, detail: detail))
            }
            return isRight(content) ? .ordinary : .finding(GitRule.content.finding(change))
        }
        switch check {
        case .reference: return try text(RefContent.Limits.refBytesMax) { RefContent.isRef($0, format: format) }
        case .replacement:
            let answer = try text(RefContent.Limits.refBytesMax) { RefContent.isRef($0, format: format) }
            if case .ordinary = answer { return .finding(GitRule.replace.finding(change)) }
            return answer
        case .objectLine: return try text(RefContent.Limits.refBytesMax) { RefContent.isObjectLine($0, format: format) }
        case .packedRefs:
            return try text(RefContent.Limits.packedRefsBytesMax) { RefContent.isPackedRefs($0, format: format) }
        case .log: return try text(RefContent.Limits.logBytesMax) { RefContent.isLog($0, format: format) }
        case .fetchHead:
            return try text(RefContent.Limits.messageBytesMax) { RefContent.isFetchHead($0, format: format) }
        case .message: return try text(RefContent.Limits.messageBytesMax, RefContent.isText)
        case .index: return try inspectIndex(change, files: files, format: format)
        case .looseObject(let name): return try inspectObject(change, name: name, files: files, format: format)
        case .pack(let name): return try inspectPack(change, name: name, in: directory, files: files)
        }
    }

    private func inspectIndex(_ change: Change, files: TreeFiles, format: ObjectFormat) throws -> Inspection {
        let index: GitIndex
        do {
            guard let content = try files.readChanged(change, bytesMax: GitIndex.Limits.bytesMax) else {
                return .finding(GitRule.content.finding(change, detail: "it is not there or not what was listed"))
            }
            index = try GitIndex(content, format: format)
        } catch {
            return .finding(GitRule.content.finding(change, detail: "\(error)"))
        }
        for entry in index.entries {
            let name = entry.path.split(separator: UInt8(ascii: "/")).last.map { Array($0) } ?? []
            let isLinkAsModules = entry.mode == 0o120000 && GitName.isGitModules(name)
            guard GitName.isSafePath(entry.path), !isLinkAsModules else {
                return .finding(GitRule.indexPath.finding(change, detail: Printable.text(entry.path)))
            }
        }
        // An index of the user's that cannot be read is simply not equal.
        let before = try? files.readLower(change.path, bytesMax: GitIndex.Limits.bytesMax).map {
            try GitIndex($0, format: format)
        }
        if let before, index.isEquivalent(to: before) { return .unchanged }
        let hiddenBefore = Set((before?.entries ?? []).filter(\.hidesChanges).map(\.path))
        if let hidden = index.entries.first(where: { $0.hidesChanges && !hiddenBefore.contains($0.path) }) {
            return .finding(GitRule.hidesChanges.finding(change, detail: Printable.text(hidden.path)))
        }
        return .ordinary
    }

    private mutating func inspectObject(
        _ change: Change,
        name: [UInt8],
        files: TreeFiles,
        format: ObjectFormat
    ) throws -> Inspection {
        guard format.isHex(name) else {
            return .finding(GitRule.object.finding(change, detail: "its name is too short or long"))
        }
        do {
            let done: Void? = try files.withChanged(change.path) { (file: borrowing Descriptor) throws in
                try LooseObject.verify(file, name: name, format: format, budget: &inflatedBytesLeft)
            }
            return done == nil ? .finding(GitRule.object.finding(change, detail: "it is not there")) : .ordinary
        } catch let flaw as LooseObject.Flaw {
            return .finding(GitRule.object.finding(change, detail: flaw.reason))
        }
    }

    private mutating func inspectPack(
        _ change: Change,
        name: String,
        in directory: GitDirectory,
        files: TreeFiles
    ) throws -> Inspection {
        func refuse(_ detail: String) -> Inspection { .finding(GitRule.pack.finding(change, detail: detail)) }
        guard change.kind == .created else { return refuse("packs are never changed") }
        guard let verifyPack else { return refuse("nothing is there that could verify it") }
        let parent = change.path.parent
        for ending in [".pack", ".idx"] {
            guard let path = parent.appending(Array((name + ending).utf8)), try files.isInChanged(path),
                try !files.isInLower(path)
            else { return refuse("\(name)\(ending) did not come with it") }
        }
        let root = files.tree.changed
        let pack = GitPack(directory: root + "/" + String(decoding: parent.bytes, as: UTF8.self), name: name)
        let isRight = if let known = verified[pack] { known } else { try verifyPack(pack) }
        verified[pack] = isRight
        return isRight ? .ordinary : refuse("git says that it is broken")
    }
}
