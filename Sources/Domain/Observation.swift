/// What was seen of a command from outside while it ran. It only records: no wall depends on it.
package struct Observation: Sendable, Equatable {
    package enum State: String, Sendable, CaseIterable {
        /// Every execution, connection and bind was seen.
        case complete
        /// The kernel gave no listener, or it broke off.
        case unavailable
    }

    package var state = State.unavailable
    /// Why there is no listener (errno), where the kernel said it.
    package var code: Int32?
    /// In the order of their first execution; at most a named number.
    package var processes: [ObservedProcess] = []
    /// Processes that asked to execute something and were only counted.
    package var processesLeftOut: UInt64 = 0
    /// Each kind of denial once, in the order of the first.
    package var denials: [Denial] = []
    /// Refused calls of kinds that found no more room in the list.
    package var denialsLeftOut: UInt64 = 0

    package init() {}

    /// Kept processes of which it is not known how they ended.
    package var endingsUnknown: UInt64 { UInt64(processes.count { $0.ending == nil }) }

    /// Refused calls in all.
    package var denialCount: UInt64 { denials.reduce(denialsLeftOut) { $0 + $1.count } }
}
