import Domain
import Egress
import Files
import Glibc

/// `bailey egress check --stdin`: one JSON object per line in, one JSON verdict per line out.
enum EgressBatch {
    /// A line that is longer is answered with an error and skipped.
    static let lineBytesMax = 4 << 20
    private static let chunkBytes = 64 << 10

    static func answer(_ console: Console) throws(CommandError) {
        var lines = Lines()
        var chunk = [UInt8](repeating: 0, count: chunkBytes)
        while true {
            let count = chunk.withUnsafeMutableBytes { read(0, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw CommandError(ExitStatus.failed, "read standard input: \(String(cString: strerror(errno)))")
            }
            if count == 0 { break }
            for line in lines.take(chunk[..<count]) { put(line, console) }
        }
        if let line = lines.last() { put(line, console) }
    }

    private static func put(_ line: Lines.Line, _ console: Console) {
        let answer =
            line.isCut
            ? error(line.number, "it is longer than \(lineBytesMax) bytes", "Write one shorter JSON object per line.")
            : self.answer(line.bytes, number: line.number)
        console.resultBytes(answer.bytes() + [UInt8(ascii: "\n")])
    }

    /// The answer to one line.
    static func answer(_ bytes: [UInt8], number: Int) -> JSONValue {
        let value: JSONValue
        do {
            value = try JSONParser.parse(bytes)
        } catch {
            return self.error(number, "it is no JSON: \(error)", "Write one JSON object per line.")
        }
        guard let kind = value["kind"]?.stringValue, let input = value["input"]?.stringValue else {
            let problem = "it is no object with the texts `kind` and `input`"
            return error(number, problem, "Write {\"kind\":…,\"input\":…,\"policy\":…}.")
        }
        do {
            let policy = try EgressBatchPolicy.read(value["policy"])
            guard let decision = decide(kind, input, policy) else {
                let shown = Printable.text(String(kind.prefix(40)))
                let known = "The kinds are ip, host, connect, url, dns and dnsquery; others need a live connection."
                return error(number, "the kind \(shown) is not judged", known)
            }
            return .object(decision.members)
        } catch {
            return self.error(number, error.reason, error.remedy ?? "Correct the policy.")
        }
    }

    /// Nil for a kind that cannot be judged without a connection.
    private static func decide(_ kind: String, _ input: String, _ policy: NetworkPolicy) -> EgressDecision? {
        let bytes = Array(input.utf8)
        switch kind {
        case "ip": return policy.decide(address: bytes)
        case "host": return policy.decide(host: bytes)
        case "connect": return policy.decide(connect: bytes)
        case "url": return policy.decide(url: bytes)
        case "dns": return LookupText.decide(bytes, policy)
        case "dnsquery":
            let words = bytes.split(separator: UInt8(ascii: " "), maxSplits: 1, omittingEmptySubsequences: false)
            let type = String(decoding: words[0], as: UTF8.self)
            return policy.decide(query: type, name: words.count == 2 ? Array(words[1]) : [])
        default: return nil
        }
    }

    private static func error(_ number: Int, _ problem: String, _ fix: String) -> JSONValue {
        .object([("error", .string("line \(number): \(problem). \(fix)"))])
    }
}

extension EgressBatch {
    /// Cuts a stream into lines of bounded length.
    struct Lines {
        struct Line {
            let number: Int
            let bytes: [UInt8]
            /// True if the line was longer than what is kept.
            let isCut: Bool
        }

        private var bytes: [UInt8] = []
        private var number = 1
        private var isCut = false

        mutating func take(_ chunk: ArraySlice<UInt8>) -> [Line] {
            var lines: [Line] = []
            var rest = chunk
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                keep(rest[..<end])
                lines.append(cut())
                rest = rest[(end + 1)...]
            }
            keep(rest)
            return lines
        }

        /// What stands behind the last line end, if anything.
        mutating func last() -> Line? { bytes.isEmpty && !isCut ? nil : cut() }

        private mutating func keep(_ part: ArraySlice<UInt8>) {
            guard !isCut, bytes.count + part.count <= EgressBatch.lineBytesMax else {
                isCut = true
                bytes = []
                return
            }
            bytes.append(contentsOf: part)
        }

        private mutating func cut() -> Line {
            defer {
                bytes = []
                isCut = false
                number += 1
            }
            return Line(number: number, bytes: bytes, isCut: isCut)
        }
    }
}
