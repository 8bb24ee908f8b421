package import Domain

/// Why no grant was made, or why one could not be used.
package struct AuthorityError: UserFacingError {
    package enum Code: Sendable { case denied, approvalNeeded, grantExpired }

    package let code: Code
    package let message: String
    package let hint: String?
    package let decision: Decision?

    package init(_ code: Code, _ message: String, decision: Decision? = nil, hint: String? = nil) {
        self.code = code
        self.message = message
        self.decision = decision
        self.hint = hint
    }
}
