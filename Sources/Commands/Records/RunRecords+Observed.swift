import Domain
import Journal
import Redaction

/// The records of what was seen of a command while it ran.
extension RunRecords {
    /// Characters of one argument; a script given to a shell is cut here, after it was redacted.
    private static var argumentCharactersMax: Int { 256 }
    /// Bytes of text in one record. Each could become six when it is escaped, and the line must hold them all.
    private static var recordTextBytesMax: Int { 96 << 10 }
    private static var recordProcessesMax: Int { 250 }

    /// The processes, in as many records as their number takes, then each denial in one of its own.
    func observed(_ observation: Observation) -> [Record] {
        let parts = chunks(observation.processes)
        let records = parts.enumerated().map { index, processes in
            Record(
                .commandObserved,
                [
                    "observation": .word(observation.state),
                    "code": observation.code.map { .integer(Int64($0)) } ?? .null,
                    "part": .unsigned(UInt64(index + 1)),
                    "parts": .unsigned(UInt64(parts.count)),
                    "processes": .list(processes),
                    "processes_left_out": .unsigned(observation.processesLeftOut),
                    "endings_unknown": .unsigned(observation.endingsUnknown),
                    "denials": .unsigned(observation.denialCount),
                    "denials_left_out": .unsigned(observation.denialsLeftOut),
                ]
            )
        }
        return records + observation.denials.map { Record(.accessDenied, fields: denial($0)) }
    }

    /// One denial as an object.
    private func denial(_ denial: Denial) -> [(StaticString, RecordValue)] {
        [
            ("act", .word(denial.act)), ("target", .text(redactor.redact(bytes: denial.target))),
            ("rule", .word(denial.rule)), ("allowed_by", .text(Redacted(constant: denial.rule.remedy))),
            ("count", .unsigned(denial.count)), ("process", denial.process.map { .integer(Int64($0)) } ?? .null),
            ("path", denial.path.map { .text(redactor.redact(bytes: $0)) } ?? .null),
        ]
    }

    private func chunks(_ processes: [ObservedProcess]) -> [[RecordValue]] {
        var parts: [[RecordValue]] = [[]]
        var bytes = 0
        for process in processes {
            let words = (process.arguments.map { redactor.redact(arguments: $0) })?
                .map { $0.shortened(toCharacters: Self.argumentCharactersMax) }
            let path = process.path.map { redactor.redact(bytes: $0) }
            let failed = process.failedPath.map { redactor.redact(bytes: $0) }
            let texts = (words ?? []) + [path, failed].compactMap(\.self)
            let length = texts.reduce(0) { $0 + $1.text.utf8.count }
            let isFull = bytes + length > Self.recordTextBytesMax
            if isFull || parts[parts.count - 1].count == Self.recordProcessesMax {
                parts.append([])
                bytes = 0
            }
            bytes += length
            parts[parts.count - 1].append(.object(fields(process, path, words, failed)))
        }
        return parts
    }

    private func fields(
        _ process: ObservedProcess,
        _ path: Redacted?,
        _ words: [Redacted]?,
        _ failed: Redacted?
    ) -> [(StaticString, RecordValue)] {
        var code = RecordValue.null
        var signal = RecordValue.null
        switch process.ending {
        case .exited(let number): code = .integer(Int64(number))
        case .signalled(let number): signal = .integer(Int64(number))
        case nil: break
        }
        return [
            ("process", process.process.map { .integer(Int64($0)) } ?? .null),
            ("parent", process.parent.map { .integer(Int64($0)) } ?? .null),
            ("path", path.map { .text($0) } ?? .null),
            ("arguments", words.map { .list($0.map { .text($0) }) } ?? .null), ("is_cut", .flag(process.isCut)),
            ("image", .word(process.image)), ("failed_path", failed.map { .text($0) } ?? .null),
            ("executions", .unsigned(process.executions)),
            ("start_microseconds", .unsigned(process.startNanoseconds / 1000)),
            ("end_microseconds", process.endNanoseconds.map { .unsigned($0 / 1000) } ?? .null),
            ("exit_code", code), ("signal", signal),
            ("cpu_microseconds", process.cpuNanoseconds.map { .unsigned($0 / 1000) } ?? .null),
            ("peak_memory_bytes", process.peakMemoryBytes.map { .unsigned($0) } ?? .null),
        ]
    }
}
