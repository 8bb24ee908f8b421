/// What one sandbox may use of its broker. Every limit is refused with its name when it is reached.
package struct BrokerLimits: Sendable, Equatable {
    /// Connections of the sandbox that are open at once.
    package var connections = 16_384
    /// Sockets that they have: one inside each, and one outside where they are copied.
    package var sockets = 32_768
    /// Connections that are being decided or dialled at once.
    package var pending = 1_024
    /// New connections in a second; a second's worth may come at once.
    package var connectionsPerSecond = 2_000
    /// Questions to the resolver in a second; a second's worth may come at once.
    package var questionsPerSecond = 2_000
    /// Names that get an address inside.
    package var names = 65_536
    /// Listening sockets that are made while the sandbox lives, two for each name and port from 1024 on.
    package var listeners = 4_096
    /// Names that are looked up outside in a second; a second's worth may come at once.
    package var lookupsPerSecond = 500
    /// Requests that are seen and not answered yet. Each may hold a part of its body and of its answer in memory.
    package var requests = 2_048
    /// Connections to the outside, at once, for requests that are seen.
    package var requestConnections = 4_096
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

    /// The same limits as far as a process with so many descriptors can keep them. A connection that is being made
    /// takes two more of them for a moment, and some are for everything else.
    package func fitted(descriptors: Int) -> BrokerLimits {
        let eighth = max(1, descriptors / 8)
        var fitted = self
        fitted.listeners = min(listeners, eighth)
        fitted.requestConnections = min(requestConnections, eighth)
        fitted.pending = min(pending, max(1, eighth / 2))
        let rest = descriptors - min(Self.spareDescriptors, eighth) - fitted.listeners - fitted.requestConnections
        fitted.sockets = min(sockets, max(2, rest - 2 * fitted.pending))
        fitted.connections = min(connections, fitted.sockets)
        return fitted
    }

    /// Streams of the resolver, look-ups, connections to published ports, and what the process itself has.
    private static let spareDescriptors = 2_560
}
