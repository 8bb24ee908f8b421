import Domain
import Workspace

extension FuzzTarget {
    /// A run's stored files: plan, tree index, copy manifest, change set. The tag at their end is made to fit, so
    /// that what is behind it is reached.
    static let storedWorkspace = FuzzTarget("stored-workspace") {
        let bed = try WorkspaceBed(.copy(reason: nil))
        return try WorkspaceBed.storedFiles.enumerated().map { number, name in
            [UInt8(number)] + Array(try bed.stored(name).dropLast(Digest.byteCount))
        }
    } prepare: {
        let bed = try WorkspaceBed(.copy(reason: nil))
        return { bytes in
            let name = WorkspaceBed.storedFiles[Int(bytes.first ?? 0) % WorkspaceBed.storedFiles.count]
            let body = Array(bytes.dropFirst())
            try bed.withStored(name, body + WorkspaceBed.tag.bytes) {
                _ = try? WorkspacePlan.load(bed.stored)
                guard let set = try? WorkspacePlan.loadChanges(bed.stored) else { return }
                try promise(
                    ChangeSet(encoded: set.encoded(in: bed.stored), in: bed.stored) == set,
                    "a change set changed on its way"
                )
            }
        }
    }

    /// What a command could leave behind in a layer or a copy: the listing is whole and the same each time, and the
    /// gate never lets in what is forbidden by the plainest reading.
    static let changeGate = FuzzTarget("change-gate", bytesMax: 1 << 10) {
        HostileTree.seeds
    } prepare: {
        let beds = try [WorkspaceBed(.auto), WorkspaceBed(.copy(reason: nil))]
        return { bytes in
            var input = FuzzInput(bytes)
            let bed = beds[Int(input.byte() % 2)]
            try bed.clear()
            try HostileTree.build(&input, in: bed.plan.workspaceTrees[0])
            try GateOracle(bed.plan).check()
        }
    }

    /// A file's old and new content: the diff is printable lines, and where the content is plain it leads from one to
    /// the other.
    static let diff = FuzzTarget("diff", bytesMax: 1 << 18) {
        [
            Array("a\nb\nc\nd\ne\nf\ng\nh\n".utf8) + [0xFF] + Array("a\nB\nc\nd\ne\nf\ng\nh\ni".utf8),
            [0xFF] + Array("new\n".utf8), Array("old".utf8) + [0xFF], Array("\u{1B}[2J\r\n".utf8) + [0xFF, 0x0A],
        ]
    } prepare: {
        let bed = try WorkspaceBed(.copy(reason: nil))
        return { bytes in
            let parts = bytes.split(separator: 0xFF, maxSplits: 1, omittingEmptySubsequences: false).map { Array($0) }
            try DiffOracle(old: parts[0], new: parts.count > 1 ? parts[1] : []).check(bed)
        }
    }
}
