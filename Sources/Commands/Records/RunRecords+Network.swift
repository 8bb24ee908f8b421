import BrokerLink
import Domain
import Egress
import Journal
import Redaction

/// The records of what went over a run's network, and of what was refused there.
extension RunRecords {
    func connection(_ record: ConnectionRecord) -> Record {
        func text(_ text: String?) -> RecordValue { text.map { .text(redactor.redact($0)) } ?? .null }
        return Record(
            Self.type(of: record),
            [
                "door": .word(record.door), "host": text(record.host), "port": .unsigned(UInt64(record.port)),
                "address": text(record.address.map { "\($0)" }), "treatment": .word(record.treatment),
                "verdict": .word(record.verdict), "rule": .rule(record.rule), "reason": text(record.reason),
                "allowed_by": text(record.remedy), "request": text(record.request),
                "bytes_out": .unsigned(record.bytesOut), "bytes_in": .unsigned(record.bytesIn),
                "began_milliseconds": .unsigned(UInt64(record.beganSeconds * 1000)),
                "milliseconds": .unsigned(UInt64(record.seconds * 1000)), "ending": text(record.ending),
            ]
        )
    }

    private static func type(of record: ConnectionRecord) -> RecordType {
        guard record.verdict == .deny else { return .connectionClosed }
        return record.rule.isAlarm ? .credentialAlarm : .connectionRefused
    }

    func networkAllowed(_ rules: [NetworkRule], milliseconds: UInt64?) -> Record {
        let time: RecordValue = milliseconds.map { .unsigned($0) } ?? .null
        return Record(.networkAllowed, fields: entries(rules) + [("milliseconds", time)])
    }

    /// - Parameter type: who took them away.
    func networkTaken(_ rules: [NetworkRule], _ type: RecordType) -> Record { Record(type, fields: entries(rules)) }

    private func entries(_ rules: [NetworkRule]) -> [(StaticString, RecordValue)] {
        [("entries", .list(rules.map { .text(redactor.redact($0.text)) }))]
    }

    func networkEnded(_ use: NetworkUse) -> Record {
        Record(
            .networkEnded,
            [
                "connections": .unsigned(use.connections), "bytes_out": .unsigned(use.bytesOut),
                "bytes_in": .unsigned(use.bytesIn), "refusals": .unsigned(use.refusalCount),
                "breakdown": use.breakdown.map { .text(redactor.redact($0)) } ?? .null,
            ]
        )
    }
}
