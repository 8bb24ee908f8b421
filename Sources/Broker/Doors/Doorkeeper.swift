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

    /// Makes one connection of two sockets, and records it when it is over.
    ///
    /// - Parameters:
    ///   - pass: is given back at the end.
    ///   - version: of the settings that the decision was made by.
    func splice(
        _ pair: SplicePair,
        _ approach: Approach,
        _ decision: EgressDecision,
        to address: CheckedAddress,
        pass: Crossings.Pass,
        version: Int,
        since: Double
    ) {
        let id = relay.splice(pair) { report in
            crossings.leave(pass)
            ledger.record(record(report, approach, decision, address, since: since))
        }
        let target = approach.target
        let recheck: @Sendable (BrokerSettings) -> Void = { settings in
            let (decision, treatment) = judge.judge(target, settings)
            if case .splice = treatment { return }
            let reason = decision.verdict == .allow ? "its requests must be seen now" : decision.reason
            relay.close(id, because: "the policy changed: \(reason)")
        }
        crossings.watch(pass, recheck)
        // Settings that were replaced before the watch began were told to nobody.
        if settings.version != version { recheck(settings.current) }
    }

    private func record(
        _ report: SpliceReport,
        _ approach: Approach,
        _ decision: EgressDecision,
        _ address: CheckedAddress,
        since: Double
    ) -> ConnectionRecord {
        var made = ConnectionRecord(
            door: approach.door,
            host: approach.target.host.description,
            port: approach.target.port,
            treatment: .spliced,
            decision: decision,
            beganSeconds: since
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
                beganSeconds: since
            )
        }
        made.address = address.address
        made.bytesOut = report.bytesOut
        made.bytesIn = report.bytesIn
        made.seconds = now - since
        return made
    }
}
