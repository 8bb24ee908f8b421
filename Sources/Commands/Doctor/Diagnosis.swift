import Domain

/// One line of the doctor: how bad, what, where, and the command that fixes it.
struct Diagnosis: Sendable {
    enum Level: String, Sendable { case ok, warning, error }

    let level: Level
    let check: String
    let finding: String
    let fix: String?

    static func ok(_ check: String, _ finding: String) -> Diagnosis {
        Diagnosis(level: .ok, check: check, finding: finding, fix: nil)
    }

    static func warning(_ check: String, _ finding: String, fix: String?) -> Diagnosis {
        Diagnosis(level: .warning, check: check, finding: finding, fix: fix)
    }

    static func error(_ check: String, _ finding: String, fix: String?) -> Diagnosis {
        Diagnosis(level: .error, check: check, finding: finding, fix: fix)
    }

    var json: JSONValue {
        .object([
            ("level", .string(level.rawValue)), ("check", .string(check)), ("finding", .string(finding)),
            ("fix", fix.map { .string($0) } ?? .null),
        ])
    }
}
