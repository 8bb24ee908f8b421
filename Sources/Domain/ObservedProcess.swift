/// A process of a command, as observed from outside. Its words are raw: they leave memory only through a redactor.
///
/// A process that never asked to execute anything, such as a subshell, is not seen; what it started hangs on the
/// nearest ancestor that is. What could not be known is nil and never guessed.
package struct ObservedProcess: Sendable, Equatable {
    /// How it is known that the process ran what its row shows.
    package enum Image: String, Sendable, CaseIterable {
        /// The kernel showed afterwards that it had executed it.
        case executed
        /// It was gone before the kernel could be asked, and nothing spoke against it when it asked to execute it.
        case assumed
        /// Whatever it asked to execute failed: it shows what it was forked from.
        case forked
    }

    /// The id inside the sandbox; nil where the kernel could not tell before the process was gone.
    package var process: Int32?
    /// The id inside of the nearest observed ancestor; 1 is the sandbox's init, which takes over orphans.
    package var parent: Int32?
    /// What it executed last, or what it was forked from. Memory can change between a look and the kernel's own: a
    /// hint, no proof.
    package var path: [UInt8]?
    /// The arguments of that, as far as limits let them be kept; nil if they could not be read at all.
    package var arguments: [[UInt8]]?
    /// Arguments are missing: too many, too long or unreadable.
    package var isCut = false
    package var image = Image.assumed
    /// What it asked last to execute, if that failed and nothing was executed since.
    package var failedPath: [UInt8]?
    /// How often it asked to execute something. A search along PATH asks once for each directory.
    package var executions: UInt64 = 0
    /// Since the sandbox's start.
    package var startNanoseconds: UInt64
    package var endNanoseconds: UInt64?
    package var ending: Ending?
    /// CPU time of all its threads: of its whole life if it could be asked before its parent waited for it, else up to
    /// the last look.
    package var cpuNanoseconds: UInt64?
    /// The most memory that a look saw; processes shorter than the time between two looks have none.
    package var peakMemoryBytes: UInt64?

    package init(startNanoseconds: UInt64) { self.startNanoseconds = startNanoseconds }
}
