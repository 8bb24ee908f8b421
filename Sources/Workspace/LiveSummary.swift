package import Domain

/// What a direct workspace was guarded by, for the person, the record and the look afterwards.
package struct LiveSummary: Sendable, Equatable {
    /// Of the project, in the order in which they are mounted.
    package internal(set) var guards: [WorkspaceGuard] = []
    /// Git directories in the project.
    package internal(set) var innerGitDirectories = 0
    /// Git directories outside the project that belong to it.
    package internal(set) var outsideGitDirectories = 0

    /// Places that guarded links lead to and where nothing is, so that nothing guards them.
    package internal(set) var absentTargets: [RelativePath] = []

    package var gitDirectories: Int { innerGitDirectories + outsideGitDirectories }

    /// Everything that is read-only: places of the project and git directories outside it.
    package var sealed: Int { count(.sealed) + outsideGitDirectories }

    package func count(_ kind: WorkspaceGuard.Kind) -> Int { guards.count { $0.kind == kind } }
}

extension BinaryWriter {
    mutating func add(_ summary: LiveSummary) {
        add(UInt32(summary.innerGitDirectories))
        add(UInt32(summary.outsideGitDirectories))
        add(UInt32(summary.guards.count))
        for place in summary.guards {
            add(place.kind.rawValue)
            add(place.path)
        }
        add(UInt32(summary.absentTargets.count))
        for target in summary.absentTargets { add(target) }
    }
}

extension BinaryReader {
    mutating func readLiveSummary() throws(Damaged) -> LiveSummary {
        var summary = LiveSummary()
        summary.innerGitDirectories = Int(try read(UInt32.self))
        summary.outsideGitDirectories = Int(try read(UInt32.self))
        let count = Int(try read(UInt32.self))
        guard count <= WorkspaceLimits.guardsMax else { throw Damaged() }
        for _ in 0..<count {
            guard let kind = WorkspaceGuard.Kind(rawValue: try readText()) else { throw Damaged() }
            summary.guards.append(WorkspaceGuard(kind, try readPath()))
        }
        let targets = Int(try read(UInt32.self))
        guard targets <= WorkspaceLimits.guardsMax else { throw Damaged() }
        for _ in 0..<targets { summary.absentTargets.append(try readPath()) }
        return summary
    }
}
