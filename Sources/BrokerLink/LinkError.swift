/// Why a message between supervisor and broker was refused, or could not be sent.
package struct LinkError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A sentence without its full stop, lower case.
    package let description: String

    package init(_ description: String) { self.description = description }
}
