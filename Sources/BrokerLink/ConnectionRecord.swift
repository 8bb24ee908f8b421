package import Domain
package import Egress

/// One connection, or one question to the resolver that was refused: what the journal and the person get to know.
package struct ConnectionRecord: Sendable, Equatable {
    /// The way a program took: out, or in by a published port. A gateway is the way to a provider of models.
    package enum Door: String, Sendable, CaseIterable {
        case names, proxy, socks, transparent, published, gateway
    }

    /// What was done with the bytes.
    package enum Treatment: String, Sendable, CaseIterable {
        /// Nothing was passed on.
        case refused
        /// Copied without a look, after the server name was compared.
        case spliced
        /// Each request was read, judged and written anew.
        case terminated
    }

    package var door: Door
    /// The name, or what was asked for in its place, printable.
    package var host: String
    package var port: UInt16
    /// The address that was dialled.
    package var address: IPAddress?
    package var treatment: Treatment
    /// The decision.
    package var verdict: Verdict
    package var rule: RuleID
    package var reason: String
    package var remedy: String?
    /// The request, where it was seen: `GET /path`.
    package var request: String?
    /// Bytes that left the sandbox, and bytes that came in.
    package var bytesOut: UInt64 = 0
    package var bytesIn: UInt64 = 0
    /// Since the broker began.
    package var beganSeconds: Double
    package var seconds: Double = 0
    /// How it ended, where it was not by either side closing: a limit, a policy that changed, an error.
    package var ending: String?

    package init(
        door: Door,
        host: String,
        port: UInt16,
        treatment: Treatment,
        decision: EgressDecision,
        beganSeconds: Double
    ) {
        self.door = door
        self.host = host
        self.port = port
        self.treatment = treatment
        verdict = decision.verdict
        rule = decision.rule
        reason = decision.reason
        remedy = decision.remedy
        self.beganSeconds = beganSeconds
    }
}
