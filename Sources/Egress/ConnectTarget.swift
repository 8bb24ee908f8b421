import Domain

/// What a connection is asked for: a host and a port, as in `CONNECT api.example.com:443`.
package struct ConnectTarget: Hashable, Sendable, CustomStringConvertible {
    package let host: Host
    package let port: UInt16

    package init(host: Host, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `HOST:PORT` and nothing around it.
    package init(_ bytes: some Collection<UInt8>) throws(EgressRefusal) {
        let (host, port) = try Self.split(bytes)
        guard let port else {
            throw EgressRefusal(
                RuleID("port-missing"),
                "\(EgressRefusal.quoted(bytes)) has no port",
                remedy: "Write HOST:PORT, an IPv6 address in brackets."
            )
        }
        self.init(host: host, port: port)
    }

    /// Reads `HOST` or `HOST:PORT`.
    package static func split(_ bytes: some Collection<UInt8>) throws(EgressRefusal) -> (Host, UInt16?) {
        let raw = Array(bytes)
        var colon = raw.firstIndex(of: UInt8(ascii: ":"))
        if raw.first == UInt8(ascii: "["), let bracket = raw.firstIndex(of: UInt8(ascii: "]")) {
            colon = bracket + 1 < raw.count ? bracket + 1 : nil
            if let colon, raw[colon] != UInt8(ascii: ":") { throw syntax(raw, "something follows the bracket") }
        }
        guard let colon else { return (try Host(raw), nil) }
        return (try Host(raw[..<colon]), try port(raw[(colon + 1)...], of: raw))
    }

    /// A port in decimal digits, 1 to 65535.
    private static func port(_ digits: ArraySlice<UInt8>, of whole: [UInt8]) throws(EgressRefusal) -> UInt16 {
        guard let port = Decimal.value(digits, max: 65_535), port > 0 else {
            throw EgressRefusal(
                RuleID("port-syntax"),
                "\(EgressRefusal.quoted(digits)) is no port, in \(EgressRefusal.quoted(whole))",
                remedy: "A port is a number from 1 to 65535 in decimal digits."
            )
        }
        return UInt16(port)
    }

    private static func syntax(_ bytes: [UInt8], _ problem: String) -> EgressRefusal {
        EgressRefusal(
            RuleID("host-syntax"),
            "\(EgressRefusal.quoted(bytes)) is no HOST:PORT: \(problem)",
            remedy: "Write HOST:PORT, an IPv6 address in brackets."
        )
    }

    package var description: String { host.description + ":" + String(port) }
}
