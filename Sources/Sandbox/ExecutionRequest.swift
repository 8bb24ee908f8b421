/// What a process asked to execute, until it is known what became of it.
///
/// The call goes on before the kernel makes it, and nobody tells how it ended. So the process is looked at the next
/// time that something is heard of it.
package struct ExecutionRequest {
    package enum Outcome {
        case executed, failed, unknown
    }

    /// What a lookup in the sandbox's own tree said when it was asked for.
    package enum Presence {
        /// A file that somebody may execute.
        case there
        /// Nothing that can be executed.
        case missing
        case unknown
    }

    /// Without randomisation of addresses every stack begins this close to the end of the address space, and two
    /// images may lie at the same place.
    private static let fixedStackStart: UInt64 = 0x7FFF_FF00_0000
    /// TASK_COMM_LEN without its zero.
    private static let nameBytesMax = 15

    package let path: [UInt8]?
    /// The same from the sandbox's root on; nil if that cannot be said.
    package let place: [UInt8]?
    package let presence: Presence
    /// What ran when it was asked; nil for a process of which nothing was heard since its fork.
    package let before: ProcessImage?

    package init(
        path: [UInt8]?,
        place: [UInt8]? = nil,
        presence: Presence = .unknown,
        before: ProcessImage? = nil
    ) {
        self.path = path
        self.place = place
        self.presence = presence
        self.before = before
    }

    /// What became of it, by what runs now. A failure may be told too early while the kernel is still at it.
    package func outcome(now: ProcessImage) -> Outcome {
        guard let before, !before.isForked else { return now.isForked ? .failed : .executed }
        return now.isDead ? outcome(nameNow: now.name, before.name) : outcome(now, before)
    }

    private func outcome(_ now: ProcessImage, _ before: ProcessImage) -> Outcome {
        guard (now.stackStart, now.argumentsStart) == (before.stackStart, before.argumentsStart) else {
            return .executed
        }
        return now.stackStart == 0 || now.stackStart >= Self.fixedStackStart ? .unknown : .failed
    }

    /// Of the dead only the name is left.
    private func outcome(nameNow now: [UInt8], _ before: [UInt8]) -> Outcome {
        guard let path else { return .unknown }
        let wanted = Array(path[((path.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)...].prefix(Self.nameBytesMax))
        if wanted == before { return .unknown }
        return now == wanted ? .executed : now == before ? .failed : .unknown
    }
}
