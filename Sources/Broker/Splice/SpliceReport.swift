package import Egress

/// Two connected sockets, to be made one connection. Whoever takes it closes them.
struct SplicePair {
    /// The sandbox's side, and what it said already.
    var client: SpliceSocket
    var head: [UInt8]
    /// The side outside.
    var server: SpliceSocket
    var gate: ServerNameGate
    /// Seconds without a byte in either direction after which both are closed.
    var idleSeconds: Double
    /// Seconds in which a ClientHello that was begun must be whole.
    var greetingSeconds: Double
}

/// How a connection that was copied ended.
package struct SpliceReport: Sendable, Equatable {
    package enum Ending: Sendable, Equatable {
        /// Both sides said that they were done.
        case finished
        /// A side broke it off.
        case broken(String)
        /// Nothing was said for too long, or a greeting took too long.
        case late(String)
        /// What the client said first was refused; nothing of it was passed on.
        case refused(EgressRefusal)
        /// It was closed from here: a policy that changed, the end of the run.
        case closed(String)
    }

    /// Bytes to the server, and bytes to the client.
    package var bytesOut: UInt64 = 0
    package var bytesIn: UInt64 = 0
    package var seconds: Double = 0
    package var ending: Ending
}

/// Which splice.
package struct SpliceID: Hashable, Sendable {
    let number: UInt64
}
