import BrokerLink
import Domain
import Egress

/// The head of a request to an HTTP proxy, read strictly: what two parsers could read in two ways is refused.
struct ProxyHead: Sendable, Equatable {
    enum Target: Sendable, Equatable {
        case tunnel(ConnectTarget)
        case request(WebAddress)
    }

    let method: String
    let target: Target
    let isVersion11: Bool
    /// Names in lower case, values without the white space around them, in order.
    let fields: [(name: String, value: [UInt8])]
    /// With the empty line.
    let bytes: Int

    static func == (left: ProxyHead, right: ProxyHead) -> Bool {
        left.method == right.method && left.target == right.target && left.isVersion11 == right.isVersion11
            && left.bytes == right.bytes
            && left.fields.elementsEqual(right.fields) { $0.name == $1.name && $0.value == $1.value }
    }

    /// Reads a head; nil where it may still become one.
    static func read(_ stream: ArraySlice<UInt8>, _ limits: BrokerLimits) throws(EgressRefusal) -> ProxyHead? {
        var rest = stream
        guard let first = try nextLine(&rest) else {
            return try wait(stream, limits)
        }
        let (method, target, isVersion11) = try requestLine(first)
        var fields: [(name: String, value: [UInt8])] = []
        while true {
            guard let line = try nextLine(&rest) else { return try wait(stream, limits) }
            if line.isEmpty { break }
            guard fields.count < limits.headFields else {
                throw refuse("it has more than \(limits.headFields) fields (headFields)")
            }
            fields.append(try field(line))
        }
        let bytes = rest.startIndex - stream.startIndex
        guard bytes <= limits.headBytes else { throw tooLong(limits) }
        let head = ProxyHead(method: method, target: target, isVersion11: isVersion11, fields: fields, bytes: bytes)
        try head.checkHost()
        try head.checkLength()
        return head
    }

    func values(_ name: String) -> [[UInt8]] { fields.filter { $0.name == name }.map(\.value) }

    /// A value as text, where a field stands once; nil otherwise.
    func text(_ name: String) -> String? {
        let all = values(name)
        return all.count == 1 ? String(decoding: all[0], as: UTF8.self) : nil
    }

    /// Takes a line off, without its CR LF; nil where it has no end yet.
    private static func nextLine(_ rest: inout ArraySlice<UInt8>) throws(EgressRefusal) -> ArraySlice<UInt8>? {
        for index in rest.indices {
            switch rest[index] {
            case 0: throw refuse("it holds a NUL")
            case 0x0A: throw refuse("a line ends without CR")
            case 0x0D:
                guard index + 1 < rest.endIndex else { return nil }
                guard rest[index + 1] == 0x0A else { throw refuse("it holds a CR within a line") }
                let line = rest[..<index]
                rest = rest[(index + 2)...]
                return line
            default: continue
            }
        }
        return nil
    }

    private static func wait(_ stream: ArraySlice<UInt8>, _ limits: BrokerLimits) throws(EgressRefusal) -> ProxyHead? {
        guard stream.count < limits.headBytes else { throw tooLong(limits) }
        return nil
    }

    private static func requestLine(_ line: ArraySlice<UInt8>) throws(EgressRefusal) -> (String, Target, Bool) {
        let words = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard words.count == 3 else { throw refuse("its first line is not METHOD TARGET VERSION") }
        let versions: [String: Bool] = ["HTTP/1.1": true, "HTTP/1.0": false]
        guard let isVersion11 = versions[String(decoding: words[2], as: UTF8.self)] else {
            throw refuse("its version is neither HTTP/1.1 nor HTTP/1.0")
        }
        if words[0].elementsEqual("CONNECT".utf8) {
            return ("CONNECT", .tunnel(try ConnectTarget(words[1])), isVersion11)
        }
        guard words[1].first != UInt8(ascii: "/"), words[1].first != UInt8(ascii: "*") else {
            throw EgressRefusal(
                RuleID("proxy-target"),
                "a request to this proxy names no host in its first line",
                remedy: "Configure this address as a proxy: it takes CONNECT HOST:PORT and http:// URLs."
            )
        }
        let address = try WebAddress(words[1])
        guard address.scheme == .http else {
            throw EgressRefusal(
                RuleID("proxy-scheme"),
                "this proxy makes no TLS of its own for an https:// request",
                remedy: "Use CONNECT \(address.target) and speak TLS through it."
            )
        }
        let request = try WebRequest(method: String(decoding: words[0], as: UTF8.self), address)
        return (request.method, .request(address), isVersion11)
    }

    private static func field(_ line: ArraySlice<UInt8>) throws(EgressRefusal) -> (name: String, value: [UInt8]) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
            line[..<colon].allSatisfy(isToken)
        else { throw refuse("a field has no plain name before its colon") }
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
        let value = line[(colon + 1)...].drop(while: isSpace)
        let trimmed = value[..<((value.lastIndex { !isSpace($0) }).map { $0 + 1 } ?? value.startIndex)]
        guard trimmed.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
            throw refuse("a field's value holds a control character")
        }
        let name = line[..<colon].map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        return (String(decoding: name, as: UTF8.self), Array(trimmed))
    }

    /// One Host, which agrees with the target. Version 1.0 may have none.
    private func checkHost() throws(EgressRefusal) {
        let hosts = values("host")
        guard hosts.count <= 1 else { throw Self.refuse("it has more than one Host") }
        guard let said = hosts.first else {
            if isVersion11 { throw Self.refuse("it has no Host") }
            return
        }
        let (host, port) = try ConnectTarget.split(said)
        let agrees: Bool
        switch target {
        case .tunnel(let target): agrees = host == target.host && (port ?? target.port) == target.port
        case .request(let address): agrees = ConnectTarget(host: host, port: port ?? 80) == address.target
        }
        guard agrees else {
            throw EgressRefusal(
                RuleID("host-mismatch"),
                "the request names one host in its first line and another one, \(host), in its Host field",
                remedy: "Name the same host in both."
            )
        }
    }

    /// A body whose length everybody reads alike; CONNECT has none.
    private func checkLength() throws(EgressRefusal) {
        let lengths = values("content-length")
        let codings = values("transfer-encoding")
        if case .tunnel = target {
            guard codings.isEmpty, lengths.allSatisfy({ $0 == [UInt8(ascii: "0")] }) else {
                throw Self.refuse("a CONNECT has no body")
            }
        }
        guard lengths.count <= 1, codings.count <= 1, lengths.isEmpty || codings.isEmpty else {
            throw Self.refuse("it gives the length of its body more than once")
        }
        if let length = lengths.first {
            let isNumber = (1...18).contains(length.count) && length.allSatisfy { (0x30...0x39).contains($0) }
            guard isNumber else { throw Self.refuse("its Content-Length is no number") }
        }
        if let coding = codings.first {
            let isChunked = String(decoding: coding, as: UTF8.self).lowercased() == "chunked"
            guard isVersion11, isChunked else { throw Self.refuse("its Transfer-Encoding is not chunked alone") }
        }
    }

    private static let tokenMarks = Set("!#$%&'*+-.^_`|~".utf8)

    private static func isToken(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || tokenMarks.contains(byte)
    }

    private static func tooLong(_ limits: BrokerLimits) -> EgressRefusal {
        refuse("its head has more than \(limits.headBytes) bytes (headBytes)")
    }

    private static func refuse(_ problem: String) -> EgressRefusal {
        EgressRefusal(
            RuleID("proxy-syntax"),
            "the request to the proxy is not understood: \(problem)",
            remedy: "Send CONNECT HOST:PORT, or a request for an http:// URL, in plain HTTP/1.1."
        )
    }
}
