/// A process of a command, as observed from outside. Its words are raw: they leave memory only through a redactor.
///
/// A process that never executed anything, such as a subshell, is not seen; what it started hangs on the nearest
/// ancestor that is. What could not be known is nil and never guessed.
package struct ObservedProcess: Sendable, Equatable {
    /// The id inside the sandbox; nil where the kernel could not tell before the process was gone.
    package var process: Int32?
    /// The id inside of the nearest observed ancestor; 1 is the sandbox's init, which takes over orphans.
    package var parent: Int32?
    /// What it asked last to execute. Memory can change between this look and the kernel's own: a hint, no proof.
    package var path: [UInt8]?
    /// The arguments of that, as far as limits let them be kept; nil if they could not be read at all.
    package var arguments: [[UInt8]]?
    /// Arguments are missing: too many, too long or unreadable.
    package var isCut = false
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
