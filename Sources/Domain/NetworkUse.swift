/// What went over a run's network: sums of what was let through, and what was refused, each kind once.
package struct NetworkUse: Sendable, Equatable {
    /// Something that was asked for and refused, however often.
    package struct Refusal: Sendable, Equatable {
        /// `HOST:PORT`, as it was asked for; it leaves memory only through a redactor.
        package let target: String
        package let rule: RuleID
        package let reason: String
        /// What would allow it; nil where nothing does.
        package let remedy: String?
        package var count: UInt64 = 1

        package init(target: String, rule: RuleID, reason: String, remedy: String?) {
            self.target = target
            self.rule = rule
            self.reason = reason
            self.remedy = remedy
        }
    }

    /// Kinds of refusals that are kept.
    package static let refusalsMax = 1000
    /// Kinds of alarms that are kept besides, of each rule, so that no number of refusals hides one, nor of the alarms
    /// that a program can raise at will one that only a service raises.
    package static let alarmsMax = 200

    package var connections: UInt64 = 0
    package var bytesOut: UInt64 = 0
    package var bytesIn: UInt64 = 0
    /// In the order of the first of each kind.
    package private(set) var refusals: [Refusal] = []
    /// Refusals that found no room in the list, or were not told one by one.
    package var refusalsLeftOut: UInt64 = 0
    /// How many of them were alarms.
    package private(set) var alarmsLeftOut: UInt64 = 0
    /// Why there was no network any more before the run was over; nil where it served to the end.
    package var breakdown: String?

    private var places: [String: Int] = [:]
    /// Kinds that are kept of each rule of alarms, and under an empty name of all others.
    private var kinds: [String: Int] = [:]

    package init() {}

    /// True for the first of its kind, as long as kinds are kept.
    package mutating func add(_ refusal: Refusal) -> Bool {
        let key = refusal.rule.rawValue + " " + refusal.target
        if let place = places[key] {
            refusals[place].count += 1
            return false
        }
        let kind = refusal.rule.isAlarm ? refusal.rule.rawValue : ""
        guard kinds[kind, default: 0] < (refusal.rule.isAlarm ? Self.alarmsMax : Self.refusalsMax) else {
            refusalsLeftOut += 1
            alarmsLeftOut += refusal.rule.isAlarm ? 1 : 0
            return false
        }
        kinds[kind, default: 0] += 1
        places[key] = refusals.count
        refusals.append(refusal)
        return true
    }

    /// Refusals in all.
    package var refusalCount: UInt64 { refusals.reduce(refusalsLeftOut) { $0 + $1.count } }
}
