package import BrokerLink
package import Egress

/// What a client says before it is known where it wants to go, and how it wants to be answered. A value per connection,
/// without any input or output.
package protocol Greeting: Sendable {
    var door: ConnectionRecord.Door { get }

    /// Takes what it understands off the front of what the client said.
    ///
    /// - Throws: for what is not understood; the connection ends with the answer to it.
    mutating func read(_ bytes: inout ArraySlice<UInt8>, _ limits: BrokerLimits) throws(EgressRefusal) -> Heard

    /// Said when the connection stands; nil where the client takes it for granted.
    func ready() -> [UInt8]?

    /// Said when it is denied.
    ///
    /// - Parameters:
    ///   - isMalformed: whether what the client said was not understood.
    ///   - first: what it said to the server first, if anything.
    func denied(_ refusal: EgressRefusal, isMalformed: Bool, first: UInt8?) -> [UInt8]?

    /// Said when nobody answered outside.
    func unreachable(_ failure: DialFailure, first: UInt8?) -> [UInt8]?

    /// True if a denial waits for the client's first byte, which says how it wants to be answered.
    var answersInKind: Bool { get }
}

/// What a greeting came to.
package enum Heard: Sendable, Equatable {
    /// More is needed.
    case more
    /// This is to be said, and more is needed.
    case reply([UInt8])
    /// A connection to somewhere, whatever will be spoken on it.
    case tunnel(ConnectTarget)
    /// A request in absolute form, which stays where it was, with others behind it perhaps.
    case request(ConnectTarget)
}
