/// How a child process ended and what it wrote.
package struct ProcessResult: Sendable {
    /// The exit code, or 128 + the signal's number, as a shell reports it.
    package var status: Int32 = 0
    /// The signal that ended the process, if one did.
    package var signal: Int32?
    /// True if the runner ended the process because its time was over.
    package var timedOut = false
    package var standardOutput: [UInt8] = []
    package var standardError: [UInt8] = []

    package init() {}

    package var stdout: String { String(decoding: standardOutput, as: UTF8.self) }
    package var stderr: String { String(decoding: standardError, as: UTF8.self) }

    /// Both streams and the status in a form that reads well in a failed expectation.
    package var summary: String {
        "status \(status)\(timedOut ? " (timed out)" : "")\nstdout: \(stdout)\nstderr: \(stderr)"
    }
}
