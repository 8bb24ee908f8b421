/// What one command may use. A nil limit is no limit.
package struct ResourceLimits: Sendable, Equatable {
    /// Wall-clock time; nil on an interactive terminal unless asked for.
    package var timeoutSeconds: Double?
    package var memoryBytes: UInt64
    /// Processes and threads together, as the kernel counts them.
    package var processes: UInt64
    package var cpuSeconds: UInt64
    /// Bytes of standard output and standard error together; nil on an interactive terminal unless asked for.
    package var outputBytes: UInt64?
    /// Bytes per second that the output pump lets through; a faster command waits.
    package var outputBytesPerSecond: UInt64
    package var workspaceBytes: UInt64
    package var workspaceFiles: UInt64
    package var openFiles: UInt64
    package var temporaryBytes: UInt64
    package var temporaryFiles: UInt64

    /// The defaults of the configuration reference: enough for a large build, too little to hurt the machine.
    package init() {
        timeoutSeconds = 3600
        memoryBytes = 4 << 30
        processes = 512
        cpuSeconds = 30 * 60
        outputBytes = 64 << 20
        outputBytesPerSecond = 64 << 20
        workspaceBytes = 4 << 30
        workspaceFiles = 200_000
        openFiles = 4096
        temporaryBytes = 1 << 30
        temporaryFiles = 100_000
    }
}
