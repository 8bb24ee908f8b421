/// What became of one attempt, as the probe or the runner saw it.
struct AttackFinding: Sendable, CustomStringConvertible {
    enum Verdict: String, Sendable {
        /// The forbidden thing happened.
        case through
        case refused
        /// Only the sandbox's own copy was reached.
        case `private`
        /// The attempt itself was broken.
        case error
        /// The sandbox was ended in the middle of it.
        case killed
    }

    let verdict: Verdict
    let detail: String

    var description: String { "\(verdict.rawValue): \(detail)" }

    /// The error name of a refusal.
    var errorName: String { String(detail.prefix { $0 != " " }) }

    /// True if this machine has nothing to attack: the kernel lacks the call or the protocol.
    var isAbsent: Bool {
        verdict == .refused && ["ENOSYS", "EAFNOSUPPORT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT"].contains(errorName)
    }

    /// The findings in a probe's output, by row.
    static func parse(_ output: String) -> [String: AttackFinding] {
        var findings: [String: AttackFinding] = [:]
        for line in output.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 2).map(String.init)
            guard words.count == 3, let verdict = Verdict(rawValue: words[1]) else { continue }
            findings[words[0]] = AttackFinding(verdict: verdict, detail: words[2])
        }
        return findings
    }
}

/// One row with both findings, and the judgement.
struct AttackResult: Sendable {
    let row: AttackRow
    let wall: AttackFinding
    let control: AttackFinding
    /// The same control as root, where the suite ran as root too.
    let rootControl: AttackFinding?
    /// How long both took.
    let seconds: Double

    /// True if the wall held.
    var isHeld: Bool {
        switch (row.expected, wall.verdict) {
        case (.refused, .refused), (.private, .refused), (.private, .private): true
        case (.limited, .refused), (.limited, .killed): true
        case (.gate, .refused), (.gate, .private), (.killed, .refused): true
        case (.noted, .refused), (.noted, .private), (.named, .refused): true
        case (.open, .through), (.open, .refused), (.open, .private), (.open, .killed): true
        default: false
        }
    }

    /// True if the attempt is known to work: it gets through outside, or the kernel answers something else there.
    var isControlled: Bool {
        if control.verdict == .through || rootControl?.verdict == .through { return true }
        guard control.verdict == .refused, !control.isAbsent else { return false }
        return wall.verdict != .refused || control.errorName != wall.errorName
    }

    /// True if there is nothing to attack here, or nobody who could show that there is.
    var isMoot: Bool {
        guard !isControlled, control.verdict == .refused else { return false }
        return control.isAbsent || row.control == .root
    }
}
