/// What one sandbox may use of its broker. Every limit is refused with its name when it is reached.
package struct BrokerLimits: Sendable, Equatable {
    /// Connections of the sandbox that are open at once.
    package var connections = 16_384
    /// Connections that are being decided or dialled at once.
    package var pending = 1_024
    /// New connections in a second; a second's worth may come at once.
    package var connectionsPerSecond = 2_000
    /// Questions to the resolver in a second; a second's worth may come at once.
    package var questionsPerSecond = 2_000
    /// Names that get an address inside.
    package var names = 65_536
    /// Bytes of a request's or an answer's head.
    package var headBytes = 64 << 10
    /// Fields of a head.
    package var headFields = 200
    /// Seconds in which a client must have said where it wants to go: the greeting of a proxy, a ClientHello, a head.
    package var greetingSeconds = 10.0
    /// Seconds for a look-up and a connection outside, all addresses together.
    package var dialSeconds = 15.0
    /// Seconds without a byte in either direction after which a connection is closed.
    package var idleSeconds = 900.0
    /// Certificates made for hosts that are terminated, kept at once.
    package var certificates = 1_024

    package init() {}
}
