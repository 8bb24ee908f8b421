import BrokerLink
import Domain
import Egress
package import NIOCore

/// What every door needs to let a connection pass. One for the whole process.
package struct Doorkeeper: Sendable {
    package let settings: SettingsStore
    package let judge: Judge
    package let crossings: Crossings
    package let relay: Relay
    package let dialing: any Dialing
    package let forwarding: any RequestForwarding
    package let ledger: any ConnectionLedger
    package let began: NIODeadline

    package init(
        settings: SettingsStore,
        judge: Judge,
        relay: Relay,
        dialing: any Dialing,
        forwarding: any RequestForwarding,
        ledger: any ConnectionLedger,
        began: NIODeadline = .now()
    ) {
        self.settings = settings
        self.judge = judge
        crossings = Crossings(settings)
        self.relay = relay
        self.dialing = dialing
        self.forwarding = forwarding
        self.ledger = ledger
        self.began = began
    }

    /// Seconds since the broker began.
    package var now: Double { Double((NIODeadline.now() - began).nanoseconds) / 1e9 }

    /// A record of something that was refused, or that could not be done.
    func refused(
        _ door: ConnectionRecord.Door,
        host: String,
        port: UInt16,
        _ decision: EgressDecision,
        since: Double,
        ending: String? = nil
    ) {
        var record = ConnectionRecord(
            door: door,
            host: host,
            port: port,
            treatment: .refused,
            decision: decision,
            beganSeconds: since
        )
        record.seconds = now - since
        record.ending = ending
        ledger.record(record)
    }

    /// A connection that was let through, on its way to being copied.
    struct Crossing: Sendable {
        let approach: Approach
        let decision: EgressDecision
        let address: CheckedAddress
        /// Is given back at the end.
        let pass: Crossings.Pass
        /// Of the settings that the decision was made by.
        let version: Int
        let since: Double
    }

    /// Has a connection that is copied end when a policy forbids it.
    ///
    /// - Returns: what is called once with how it ended; it is recorded then.
    func watch(_ crossing: Crossing, as id: SpliceID) -> @Sendable (SpliceReport) -> Void {
        let target = crossing.approach.target
        let recheck: @Sendable (BrokerSettings) -> Void = { settings in
            let (decision, treatment) = judge.judge(target, settings)
            if case .splice = treatment { return }
            let reason = decision.verdict == .allow ? "its requests must be seen now" : decision.reason
            relay.close(id, because: "the policy changed: \(reason)")
        }
        crossings.watch(crossing.pass, recheck)
        // Settings that were replaced before the watch began were told to nobody.
        if settings.version != crossing.version { recheck(settings.current) }
        return { report in
            crossings.leave(crossing.pass)
            ledger.record(record(report, crossing))
        }
    }

    private func record(_ report: SpliceReport, _ crossing: Crossing) -> ConnectionRecord {
        let approach = crossing.approach
        var made = ConnectionRecord(
            door: approach.door,
            host: approach.target.host.description,
            port: approach.target.port,
            treatment: .spliced,
            decision: crossing.decision,
            beganSeconds: crossing.since
        )
        switch report.ending {
        case .finished: break
        case .broken(let reason), .late(let reason), .closed(let reason): made.ending = reason
        case .refused(let refusal):
            made = ConnectionRecord(
                door: approach.door,
                host: approach.target.host.description,
                port: approach.target.port,
                treatment: .refused,
                decision: EgressDecision(refusal),
                beganSeconds: crossing.since
            )
        }
        made.address = crossing.address.address
        made.bytesOut = report.bytesOut
        made.bytesIn = report.bytesIn
        made.seconds = now - crossing.since
        return made
    }
}
