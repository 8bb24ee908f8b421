import BrokerLink
import Domain
import Egress
import NIOCore
import Synchronization

/// Passes records of requests on, and adds up those that a busy program makes beyond so many in a second: the journal
/// says how many there were, and what they carried. What was denied or went wrong is never added up.
final class RequestTally: Sendable {
    /// Requests in a second that have a record each.
    static let recordsPerSecond = 200
    /// Hosts and rules that are added up in a second; requests to others have a record each.
    private static let sumsMax = 256
    private static let second = TimeAmount.seconds(1)

    private struct Key: Hashable {
        let door: ConnectionRecord.Door
        let host: String
        let port: UInt16
        let rule: String
    }

    private struct Sum {
        var record: ConnectionRecord
        var count = 1
    }

    private struct State {
        var secondBegan = NIODeadline.uptimeNanoseconds(0)
        var count = 0
        var sums: [Key: Sum] = [:]
    }

    private let state = Mutex(State())
    private let ledger: any ConnectionLedger

    init(_ ledger: any ConnectionLedger) { self.ledger = ledger }

    /// - Parameter loop: tells of what was added up when the second is over.
    func record(_ record: ConnectionRecord, on loop: any EventLoop) {
        guard record.verdict != .deny, record.ending == nil else { return ledger.record(record) }
        let now = NIODeadline.now()
        let (isOwn, isFirst) = state.withLock { state in
            if now - state.secondBegan >= Self.second {
                state.secondBegan = now
                state.count = 0
            }
            state.count += 1
            guard state.count > Self.recordsPerSecond else { return (true, false) }
            return Self.add(record, to: &state.sums)
        }
        if isOwn { ledger.record(record) }
        if isFirst { loop.scheduleTask(in: Self.second) { self.flush() } }
    }

    /// - Returns: whether it needs a record of its own, and whether it is the first that is added up.
    private static func add(_ record: ConnectionRecord, to sums: inout [Key: Sum]) -> (Bool, Bool) {
        let key = Key(door: record.door, host: record.host, port: record.port, rule: record.rule.rawValue)
        guard var sum = sums[key] else {
            guard sums.count < sumsMax else { return (true, false) }
            sums[key] = Sum(record: record)
            return (false, sums.count == 1)
        }
        let ends = max(sum.record.beganSeconds + sum.record.seconds, record.beganSeconds + record.seconds)
        sum.record.beganSeconds = min(sum.record.beganSeconds, record.beganSeconds)
        sum.record.seconds = ends - sum.record.beganSeconds
        sum.record.bytesOut &+= record.bytesOut
        sum.record.bytesIn &+= record.bytesIn
        sum.count += 1
        sums[key] = sum
        return (false, false)
    }

    /// Tells of what was added up.
    func flush() {
        let sums = state.withLock { state in
            defer { state.sums = [:] }
            return state.sums.values.sorted { $0.record.beganSeconds < $1.record.beganSeconds }
        }
        for sum in sums {
            var record = sum.record
            if sum.count > 1 { record.request = "\(sum.count) requests, among them \(record.request ?? "one unseen")" }
            ledger.record(record)
        }
    }
}
