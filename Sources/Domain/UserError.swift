/// An error that a person can act on: what was attempted and went wrong, and what would help.
package protocol UserFacingError: Error, CustomStringConvertible {
    /// Lower case, starts with what was attempted.
    var message: String { get }
    /// A whole sentence, or nil.
    var hint: String? { get }
}

extension UserFacingError {
    package var description: String { message }
}
