import Domain

/// What Bailey's own exit code is: the table of the CLI reference.
enum ExitStatus {
    static let negative: Int32 = 1
    static let usage: Int32 = 2
    static let timedOut: Int32 = 124
    static let failed: Int32 = 125
    static let deniedOrNotExecutable: Int32 = 126
    static let notFound: Int32 = 127
    static let signalBase: Int32 = 128
}

/// An error of a command line: its exit code, what was attempted, what would help.
struct CommandError: UserFacingError {
    let exitCode: Int32
    let message: String
    let hint: String?

    init(_ exitCode: Int32, _ message: String, hint: String? = nil) {
        self.exitCode = exitCode
        self.message = message
        self.hint = hint
    }
}
