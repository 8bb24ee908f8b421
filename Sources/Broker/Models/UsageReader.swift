package import Domain
package import Egress
package import NIOCore

/// Reads from the answer of a model what it used, as the answer comes: any bytes, split anywhere, in bounded memory. It
/// delays and changes nothing.
package struct UsageReader: Sendable {
    /// What the answer said, as far as it went.
    package struct Usage: Sendable, Equatable {
        /// Without what a cache held.
        package var input: UInt64?
        package var cacheRead: UInt64?
        package var cacheWrite: UInt64?
        /// The part of ``cacheWrite`` that is kept for an hour.
        package var longCacheWrite: UInt64?
        package var output: UInt64?
        /// The answer said what it used in all.
        package var isFinal = false

        package init() {}

        package var tokens: ModelUse.Tokens {
            ModelUse.Tokens(
                input: input ?? 0,
                cacheRead: cacheRead ?? 0,
                cacheWrite: cacheWrite ?? 0,
                output: output ?? 0
            )
        }
    }

    private let dialect: ModelDialect
    private let isStream: Bool
    private var events = EventStreamReader()
    private var json = JSONPathReader()
    private var raw = RawUsage()
    /// Bytes of answer so far.
    package private(set) var bytes: UInt64 = 0

    package init(_ dialect: ModelDialect, isStream: Bool) {
        self.dialect = dialect
        self.isStream = isStream
    }

    package mutating func take(_ body: ByteBuffer) {
        bytes = bytes.saturatingAdd(UInt64(body.readableBytes))
        body.withUnsafeReadableBytes { bytes in
            guard isStream else { return json.take(bytes) }
            var reader = json
            var raw = raw
            events.take(bytes) {
                reader.take($0)
            } onEnd: { _ in
                raw.take(reader)
                reader = JSONPathReader()
            }
            json = reader
            self.raw = raw
        }
    }

    /// What was said until now. An event that has not ended yet counts if its data are whole.
    package var usage: Usage {
        var raw = raw
        raw.take(json)
        return raw.usage(dialect)
    }
}

/// Counts as they were said. Services say them again as they grow, so that the largest counts.
private struct RawUsage: Sendable {
    private var counts: [String: UInt64] = [:]

    private static let known: Set<String> = [
        "input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens",
        "cache_creation.ephemeral_1h_input_tokens", "prompt_tokens", "completion_tokens",
        "prompt_tokens_details.cached_tokens", "prompt_cache_hit_tokens", "input_tokens_details.cached_tokens",
        "prompt_tokens_details.cache_write_tokens", "input_tokens_details.cache_write_tokens", "total_tokens",
    ]
    /// Where an object with usage stands: of a whole answer, of the message that begins, of the answer that ended.
    private static let places = ["usage.", "message.usage.", "response.usage.", "x_groq.usage."]

    mutating func take(_ reader: JSONPathReader) {
        guard reader.isWhole, !reader.findings.isEmpty else { return }
        for finding in reader.findings {
            guard let place = Self.places.first(where: { finding.path.hasPrefix($0) }) else { continue }
            let name = String(finding.path.dropFirst(place.count))
            guard Self.known.contains(name) else { continue }
            counts[name] = max(counts[name] ?? 0, finding.number)
            // The beginning of a message says of its output only what there is then.
            if name == "output_tokens" || name == "completion_tokens", place != "message.usage." { isFinal = true }
        }
    }

    private var isFinal = false

    func usage(_ dialect: ModelDialect) -> UsageReader.Usage {
        var usage = UsageReader.Usage()
        usage.isFinal = isFinal
        switch dialect {
        case .messages:
            usage.input = counts["input_tokens"]
            usage.cacheRead = counts["cache_read_input_tokens"]
            usage.cacheWrite = counts["cache_creation_input_tokens"]
            usage.longCacheWrite = counts["cache_creation.ephemeral_1h_input_tokens"]
            usage.output = counts["output_tokens"]
        case .chat:
            usage.output = output(counts["completion_tokens"], of: counts["prompt_tokens"])
            let cached = counts["prompt_tokens_details.cached_tokens"] ?? counts["prompt_cache_hit_tokens"]
            let written = counts["prompt_tokens_details.cache_write_tokens"]
            split(counts["prompt_tokens"], cached, written, &usage)
        case .responses:
            usage.output = output(counts["output_tokens"], of: counts["input_tokens"])
            let written = counts["input_tokens_details.cache_write_tokens"]
            split(counts["input_tokens"], counts["input_tokens_details.cached_tokens"], written, &usage)
        }
        // An end that does not say what was read is none.
        if usage.input == nil { usage.isFinal = false }
        return usage
    }

    /// Some services leave what a model thought out of its output, and count it in the total alone.
    private func output(_ said: UInt64?, of input: UInt64?) -> UInt64? {
        guard let said, let input, let total = counts["total_tokens"] else { return said }
        return max(said, total - min(input, total))
    }

    /// These services count what a cache held, and what was written to it, as parts of what was read.
    private func split(_ input: UInt64?, _ cached: UInt64?, _ written: UInt64?, _ usage: inout UsageReader.Usage) {
        guard let input else { return }
        let read = min(cached ?? 0, input)
        let write = min(written ?? 0, input - read)
        usage.input = input - read - write
        usage.cacheRead = cached.map { _ in read }
        usage.cacheWrite = written.map { _ in write }
    }
}
