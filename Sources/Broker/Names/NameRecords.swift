import BrokerLink
import Domain
import Egress
import Synchronization

/// Takes down which names were refused: each once, and not more than a bounded number of them in a run.
final class NameRecords: Sendable {
    private struct State {
        var seen: Set<String> = []
        var isFull = false
        /// Counted for themselves, so that no number of refusals hides one.
        var alarmed: Set<String> = []
    }

    /// Names taken down singly; a program that asks for made-up names fills no journal with them.
    static let namesMax = 1024

    private let ledger: any ConnectionLedger
    private let seconds: @Sendable () -> Double
    private let state = Mutex(State())

    init(_ ledger: any ConnectionLedger, seconds: @escaping @Sendable () -> Double) {
        self.ledger = ledger
        self.seconds = seconds
    }

    func refused(_ name: String, _ refusal: EgressRefusal) {
        enum Step { case record, recordFull, nothing }
        let step: Step = state.withLock { state in
            let key = refusal.rule.rawValue + " " + name
            if refusal.rule.isAlarm {
                let isNew = state.alarmed.count < NetworkUse.alarmsMax && state.alarmed.insert(key).inserted
                return isNew ? .record : .nothing
            }
            guard !state.isFull, state.seen.insert(key).inserted else { return .nothing }
            state.isFull = state.seen.count > Self.namesMax
            return state.isFull ? .recordFull : .record
        }
        switch step {
        case .nothing: return
        case .record: write(name, refusal)
        case .recordFull:
            write(
                "(more names)",
                EgressRefusal(
                    RuleID("limit-refused-names"),
                    "more than \(Self.namesMax) names were refused, and those that follow are not listed",
                    remedy: "See which program asks for so many names."
                )
            )
        }
    }

    private func write(_ name: String, _ refusal: EgressRefusal) {
        ledger.record(
            ConnectionRecord(
                door: .names,
                host: name,
                port: SandboxNetwork.namesPort,
                treatment: .refused,
                decision: EgressDecision(refusal),
                beganSeconds: seconds()
            )
        )
    }
}
