/// Named limits of this module.
package enum JournalLimits {
    /// One line. A change listing that is longer belongs into a file of its own, named by its digest.
    package static let lineBytesMax = 1 << 20
    /// One journal. At 300 bytes a line these are three million events; a run that needs more is broken.
    package static let journalBytesMax: UInt64 = 1 << 30
    /// Lines of concurrent callers that share one write and one sync.
    package static let batchBytesMax = 4 << 20
    /// Values within each other in one record; below the reader's own bound.
    package static let depthMax = 16
    /// Characters of an actor in a line.
    package static let actorBytesMax = 128
    /// Characters of a type or a run's name in a line.
    package static let nameBytesMax = 64
    /// A checkpoint with the signatures of some witnesses.
    package static let checkpointBytesMax = 16 << 10
    /// A line without its data: the names of its fields, the hash of the line before, and the longest of the rest.
    package static let envelopeBytesMax = 512
    /// Directories below `runs`.
    package static let runsMax = 1_000_000
    /// How long a process waits for another that is writing the authority's journal.
    package static let lockWaitSeconds: UInt64 = 10
}
