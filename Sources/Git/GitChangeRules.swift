import Domain

/// The closed list of what ordinary git work changes inside a git directory, by path, kind and mode alone.
enum GitChangeRules {
    /// What still has to be looked at.
    enum Check: Equatable {
        case looseObject(name: [UInt8])
        case pack(name: String)
        case reference, replacement, packedRefs, log, index, objectLine, fetchHead, message
    }

    enum Expectation {
        case ordinary
        case check(Check)
        case dropped(GitRule)
        case refused(GitRule)
    }

    /// - Parameter path: below the git directory.
    static func expectation(_ change: Change, at path: RelativePath, isLinkedWorktree: Bool) -> Expectation {
        let names = path.components.map { String(decoding: $0, as: UTF8.self) }
        guard let first = names.first else { return .refused(.directoryItself) }
        if isLinkedWorktree, first == "objects" { return .refused(.unknown) }
        if change.kind == .deleted { return deletion(path, names) }
        switch change.file {
        case .symlink, .device: return .refused(.kind)
        case .fifo, .socket: return .dropped(.leftover)
        case .directory:
            // Git sets the group bit itself in shared repositories.
            if change.mode.map({ $0 & 0o5002 != 0 }) ?? true { return .refused(.mode) }
            return directory(path, names)
        case .file:
            if isLeftover(names) { return .dropped(.leftover) }
            if change.mode.map({ $0 & 0o7113 != 0 }) ?? true { return refusedRather(first, than: .mode, names) }
            return file(path, names)
        }
    }

    private static func deletion(_ path: RelativePath, _ names: [String]) -> Expectation {
        if isLeftover(names) { return .dropped(.leftover) }
        switch names[0] {
        case "objects": return names.count > 1 ? .dropped(.keptObjects) : .refused(.directoryItself)
        case "refs", "logs":
            guard names.count > 1 else { return .refused(.directoryItself) }
            return .ordinary
        case "HEAD": return .refused(.directoryItself)
        case "index", "ORIG_HEAD", "FETCH_HEAD", "COMMIT_EDITMSG":
            return names.count == 1 ? .ordinary : .refused(.unknown)
        default: return .refused(rule(names))
        }
    }

    private static func directory(_ path: RelativePath, _ names: [String]) -> Expectation {
        switch names[0] {
        case "refs": return path.components.dropFirst().allSatisfy(RefName.isValidPart) ? .ordinary : .refused(.name)
        case "logs":
            guard names.count > 1 else { return .ordinary }
            let isBelowRefs = names[1] == "refs" && path.components.dropFirst(2).allSatisfy(RefName.isValidPart)
            return isBelowRefs ? .ordinary : .refused(.name)
        case "objects":
            if names.count == 2, isFanOut(names[1]) || names[1] == "pack" || names[1] == "info" { return .ordinary }
            return isLeftover(names) ? .dropped(.leftover) : .refused(rule(names))
        default: return .refused(rule(names))
        }
    }

    private static func file(_ path: RelativePath, _ names: [String]) -> Expectation {
        switch (names[0], names.count) {
        case ("HEAD", 1): return .check(.reference)
        case ("ORIG_HEAD", 1): return .check(.objectLine)
        case ("FETCH_HEAD", 1): return .check(.fetchHead)
        case ("COMMIT_EDITMSG", 1): return .check(.message)
        case ("index", 1): return .check(.index)
        case ("packed-refs", 1): return .check(.packedRefs)
        case ("refs", 2...):
            guard RefName.isValid(path.bytes) else { return .refused(.name) }
            return .check(names[1] == "replace" ? .replacement : .reference)
        case ("logs", 2...):
            let isValid = names == ["logs", "HEAD"] || RefName.isValid(path.bytes.dropFirst("logs/".utf8.count))
            return isValid ? .check(.log) : .refused(.name)
        case ("objects", 3): return object(path, names)
        default: return .refused(rule(names))
        }
    }

    private static func object(_ path: RelativePath, _ names: [String]) -> Expectation {
        if isFanOut(names[1]) {
            let name = path.components[1] + path.components[2]
            return HexText.isLower(name) ? .check(.looseObject(name: name)) : .refused(.unknown)
        }
        guard names[1] == "pack", names[2].hasPrefix("pack-") else { return .refused(rule(names)) }
        for ending in [".pack", ".idx", ".rev"] where names[2].hasSuffix(ending) {
            let name = names[2].dropLast(ending.count)
            let hex = Array(name.dropFirst("pack-".count).utf8)
            if ObjectFormat.allCases.contains(where: { $0.isHex(hex) }) { return .check(.pack(name: String(name))) }
        }
        return .refused(.unknown)
    }

    private static func isFanOut(_ name: String) -> Bool { name.utf8.count == 2 && HexText.isLower(Array(name.utf8)) }

    /// What an interrupted or tidying git leaves, and caches that it can make anew.
    private static func isLeftover(_ names: [String]) -> Bool {
        guard let last = names.last else { return false }
        let isAmongOwn = names.count == 1 || ["refs", "logs", "objects"].contains(names[0])
        if last.hasSuffix(".lock"), isAmongOwn { return true }
        switch names[0] {
        // The tree of the last merge, which git leaves behind when the merge is done.
        case "gc.pid", "gc.log", "packed-refs.new", "AUTO_MERGE": return names.count == 1
        case "info": return names == ["info", "refs"]
        case "objects":
            let temporary = ["tmp_", ".tmp-", "incoming-"]
            if names.dropFirst().contains(where: { name in temporary.contains { name.hasPrefix($0) } }) { return true }
            if names.count > 2, names[1] == "info" { return names[2] == "packs" || names[2].hasPrefix("commit-graph") }
            guard names.count == 3, names[1] == "pack" else { return false }
            return last.hasPrefix("multi-pack-index")
                || [".bitmap", ".mtimes", ".keep"].contains { last.hasSuffix($0) }
        default: return false
        }
    }

    /// For a path that is refused anyway, the reason that tells more.
    private static func refusedRather(_ first: String, than rule: GitRule, _ names: [String]) -> Expectation {
        let own = [
            "HEAD", "ORIG_HEAD", "FETCH_HEAD", "COMMIT_EDITMSG", "index", "packed-refs", "refs", "logs", "objects",
        ]
        return .refused(own.contains(first) ? rule : self.rule(names))
    }

    /// The rule for what is not in the closed list. Case is ignored, as the file system may ignore it.
    private static func rule(_ names: [String]) -> GitRule {
        let first = names[0].lowercased()
        switch first {
        case "config", "config.worktree": return .configuration
        case "hooks": return .hooks
        case "info", "branches", "remotes": return .info
        case "modules": return .modules
        case "worktrees", "commondir", "gitdir": return .worktrees
        case "shallow": return .shallow
        case "objects": return names.last?.lowercased().hasSuffix("alternates") == true ? .alternates : .unknown
        case "sequencer", "squash_msg": return .unfinished
        default:
            let states = ["merge_", "rebase", "cherry_pick", "revert_", "bisect_"]
            return states.contains { first.hasPrefix($0) } ? .unfinished : .unknown
        }
    }
}
