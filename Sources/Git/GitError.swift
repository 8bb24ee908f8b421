import Domain

/// Why something of git's was not understood. Whoever asked takes it for the worst.
package struct GitError: UserFacingError, Equatable {
    package enum Code: Sendable {
        /// Not what git writes.
        case malformed
        /// What git writes, but nothing that is handled here.
        case notUnderstood
        case tooLarge
        case unreadable
    }

    package let code: Code
    package let message: String
    package let hint: String?

    init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }
}
