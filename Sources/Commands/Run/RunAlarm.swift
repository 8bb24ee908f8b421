import Domain
import Journal

/// What of a run is no mere refusal: a secret or its placeholder was where it must not be.
struct RunAlarm {
    /// The rules that say so.
    static let rules: Set<String> = ["credential-placeholder", "credential-reflected"]

    let host: String
    let reason: String
    let rule: String

    /// Nil for a line that tells of none.
    init?(_ line: JournalLine) {
        let rule = line.data["rule"]?.stringValue ?? ""
        guard Self.rules.contains(rule) || line.type.hasSuffix("_ALARM") else { return nil }
        self.rule = rule
        host = line.data["host"]?.stringValue ?? ""
        reason = line.data["reason"]?.stringValue ?? line.type
    }

    var text: String {
        "\(Printable.text(host.isEmpty ? "a request" : host)): \(Printable.text(reason)) [\(Printable.text(rule))]"
    }
}
