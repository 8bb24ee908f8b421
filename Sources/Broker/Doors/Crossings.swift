package import BrokerLink
import Domain
package import Egress
import Synchronization

/// Every connection of the sandbox that is open: how many there may be, and which ones a new policy ends.
package final class Crossings: Sendable {
    /// One place among the connections that may be open. It is given back by ``Crossings/leave(_:)``.
    package struct Pass: Hashable, Sendable { fileprivate let number: UInt64 }

    private struct State {
        var lastNumber: UInt64 = 0
        /// What is asked of each open connection when the settings were replaced.
        var open: [UInt64: (@Sendable (BrokerSettings) -> Void)?] = [:]
        /// Those that have, or are about to have, a socket outside as well.
        var outside: Set<UInt64> = []
        var pending = 0
        var reportedSeconds = -Crossings.reportSeconds
    }

    /// Limits that are reached are recorded this seldom: a flood shall not become one of records.
    private static let reportSeconds = 1.0

    private let settings: SettingsStore
    private let rate = EventRate()
    private let state = Mutex(State())

    package init(_ settings: SettingsStore) {
        self.settings = settings
        settings.onReplace { [weak self] replaced in self?.recheck(replaced) }
    }

    package var count: Int { state.withLock { $0.open.count } }

    /// Admits a connection.
    ///
    /// - Parameter now: seconds since the broker began.
    package func enter(now: Double) throws(EgressRefusal) -> Pass {
        let limits = settings.current.limits
        let result: Result<Pass, EgressRefusal> = state.withLock { state in
            guard state.open.count < limits.connections else {
                return .failure(Self.limit(RuleID("limit-connections"), "\(limits.connections) connections are open"))
            }
            guard state.open.count + state.outside.count < limits.sockets else {
                return .failure(Self.sockets(limits))
            }
            guard rate.take(perSecond: limits.connectionsPerSecond, at: now) else {
                let reason = "\(limits.connectionsPerSecond) connections were made within a second"
                return .failure(Self.limit(RuleID("limit-rate"), reason))
            }
            state.lastNumber += 1
            state.open[state.lastNumber] = .some(nil)
            return .success(Pass(number: state.lastNumber))
        }
        return try result.get()
    }

    /// True if a limit that was just reached is to be recorded.
    package func mayReportLimit(now: Double) -> Bool {
        state.withLock { state in
            guard now - state.reportedSeconds >= Self.reportSeconds else { return false }
            state.reportedSeconds = now
            return true
        }
    }

    package func leave(_ pass: Pass) {
        state.withLock { state in
            state.open[pass.number] = nil
            state.outside.remove(pass.number)
        }
    }

    /// Lets a connection have its second socket, the one outside.
    package func goOut(_ pass: Pass) throws(EgressRefusal) {
        let limits = settings.current.limits
        let isWithin = state.withLock { state in
            guard state.open[pass.number] != nil, !state.outside.contains(pass.number) else { return true }
            guard state.open.count + state.outside.count < limits.sockets else { return false }
            state.outside.insert(pass.number)
            return true
        }
        if !isWithin { throw Self.sockets(limits) }
    }

    private static func sockets(_ limits: BrokerLimits) -> EgressRefusal {
        limit(RuleID("limit-connections"), "connections have \(limits.sockets) sockets")
    }

    /// Has a function called at every replacement of the settings for as long as the connection is open.
    package func watch(_ pass: Pass, _ recheck: @escaping @Sendable (BrokerSettings) -> Void) {
        state.withLock { state in
            if state.open[pass.number] != nil { state.open[pass.number] = .some(recheck) }
        }
    }

    /// Begins a dial.
    package func beginPending() throws(EgressRefusal) {
        let most = settings.current.limits.pending
        let isFull = state.withLock { state in
            if state.pending < most { state.pending += 1 } else { return true }
            return false
        }
        if isFull { throw Self.limit(RuleID("limit-pending"), "\(most) connections are being made already") }
    }

    package func endPending() { state.withLock { $0.pending -= 1 } }

    private func recheck(_ settings: BrokerSettings) {
        let watchers = state.withLock { state in state.open.values.compactMap { $0 } }
        for watcher in watchers { watcher(settings) }
    }

    private static func limit(_ rule: RuleID, _ reason: String) -> EgressRefusal {
        EgressRefusal(rule, "\(reason), and this sandbox may have no more", remedy: "Close some, or try again later.")
    }
}
