import Domain
import Journal
import Policy

/// What the journals of runs say was refused.
struct RefusalReading {
    private(set) var accesses: [RefusedAccess] = []
    /// Hosts to which a secret was on its way.
    private(set) var alarmed: Set<String> = []

    mutating func take(_ run: RunID, _ lines: [JournalLine]) {
        for line in lines {
            let source = RefusedAccess.Source(run: run, line: line.sequence)
            switch RecordType(rawValue: line.type) {
            case .connectionRefused: takeConnection(line.data, source)
            case .accessDenied: takeDenial(line.data, source)
            default: break
            }
            if let host = RunAlarm(line)?.host { alarmed.insert(host) }
        }
    }

    private mutating func takeConnection(_ data: JSONValue, _ source: RefusedAccess.Source) {
        let host = data["host"]?.stringValue ?? "?"
        let port = data["port"]?.unsignedValue.flatMap { UInt16(exactly: $0) } ?? 0
        let what: RefusedAccess.What
        var count: UInt64 = 1
        if data["door"]?.stringValue == "names" {
            what = .name(host)
        } else if let text = data["request"]?.stringValue, let request = Self.request(text) {
            what = .request(method: request.method, host: host, port: port, path: request.path)
            count = request.count
        } else {
            what = .connection(host: host, port: port)
        }
        accesses.append(
            RefusedAccess(
                what,
                rule: data["rule"]?.stringValue ?? "?",
                reason: data["reason"]?.stringValue ?? "it was refused",
                remedy: data["allowed_by"]?.stringValue,
                count: count,
                source: source
            )
        )
    }

    /// `GET /path`, or of a busy program `17 requests, among them GET /path`.
    private static func request(_ text: String) -> (method: String, path: String, count: UInt64)? {
        var words = text.split(separator: " ", omittingEmptySubsequences: false)
        var count: UInt64 = 1
        if words.count == 6, words[1...3].elementsEqual(["requests,", "among", "them"]), let number = UInt64(words[0]) {
            count = number
            words.removeFirst(4)
        }
        guard words.count == 2, words[1].hasPrefix("/") else { return nil }
        return (String(words[0]), String(words[1]), count)
    }

    private mutating func takeDenial(_ data: JSONValue, _ source: RefusedAccess.Source) {
        let target = data["target"]?.stringValue ?? "?"
        let act = data["act"]?.stringValue ?? "?"
        accesses.append(
            RefusedAccess(
                act == Denial.Act.execute.rawValue ? .execution(path: target) : .other("\(act) \(target)"),
                rule: data["rule"]?.stringValue ?? "?",
                reason: "a wall of the sandbox",
                remedy: data["allowed_by"]?.stringValue,
                count: data["count"]?.unsignedValue ?? 1,
                source: source
            )
        )
    }
}
