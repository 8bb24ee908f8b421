import BrokerLink
import Egress

extension Visitor {
    /// What becomes of it after its turn.
    enum Step {
        case stays
        /// It has more to do, and others come first.
        case busy
        /// The connection that it makes outside is to be watched, too.
        case dials(Int32)
        /// Its sockets are one connection from now on.
        case splices(SplicePair, @Sendable (SpliceReport) -> Void)
        /// Its requests are read elsewhere: the function takes its socket over once nobody watches that any more.
        case hands(Int32, @Sendable (Int32) -> Void)
        /// Its sockets are closed.
        case gone
    }

    /// How far it got.
    enum Phase {
        /// The greeting is not over.
        case greeting
        /// A connection outside is being made.
        case dialling(Journey)
        /// What the client says first decides who reads its requests.
        case sniffing(Approach, mayBePlain: Bool)
        /// It is denied, in words that its first byte asks for.
        case denying(EgressRefusal)
        /// The answer is out; whatever comes is thrown away.
        case leaving
        case gone
    }

    /// Where it was let go to, and by which settings.
    struct Journey {
        let approach: Approach
        let decision: EgressDecision
        let requiresTLS: Bool
        let version: Int
        let limits: BrokerLimits
    }
}
