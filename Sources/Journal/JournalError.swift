import Domain
import Files

/// Why a journal, its checkpoint or one of its keys could not be used.
package struct JournalError: UserFacingError {
    package enum Code: Sendable {
        /// A record that no journal takes: the caller's mistake.
        case invalidRecord
        /// The run has had its terminal event.
        case ended
        /// Another process writes this journal.
        case locked
        /// What is on disk is not what was written: an alarm, and the journal is closed for writing.
        case tampered
        /// An earlier write failed, so nobody knows what is on disk.
        case poisoned
        /// The file has reached its limit.
        case full
        /// The system refused a read, a write or a sync.
        case system
        /// A key file that must not be used.
        case unsafeKey
    }

    package let code: Code
    package let message: String
    package let hint: String?

    package init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    init(_ attempt: String, _ error: SystemError, hint: String? = nil) {
        self.init(.system, "\(attempt): \(error)", hint: hint)
    }
}
