import Domain

/// An `http` or `https` URL, split as the WHATWG URL standard splits it, without what parsers disagree about.
package struct WebAddress: Hashable, Sendable {
    package enum Scheme: String, Sendable { case http, https }

    package let scheme: Scheme
    package let target: ConnectTarget
    /// From the first slash up to the query; `/` where there is none. As written: nothing is decoded.
    package let path: String

    package static let bytesMax = 8192

    package init(_ bytes: some Collection<UInt8>) throws(EgressRefusal) {
        let raw = Array(bytes)
        guard raw.count <= Self.bytesMax else {
            throw Self.syntax(raw, "it has \(raw.count) bytes, and at most \(Self.bytesMax) are read")
        }
        guard raw.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Self.syntax(raw, "it holds a space, a control character or a character beyond ASCII")
        }
        guard !raw.contains(UInt8(ascii: "\\")) else {
            throw Self.syntax(raw, "it holds a backslash, which some read as a slash")
        }
        let scheme = try Self.scheme(raw)
        let rest = raw.dropFirst(scheme.rawValue.utf8.count + 3)
        let end = rest.firstIndex { Array("/?#".utf8).contains($0) } ?? rest.endIndex
        let authority = rest[..<end]
        guard !authority.contains(UInt8(ascii: "@")) else {
            throw EgressRefusal(
                RuleID("url-credentials"),
                "the URL \(EgressRefusal.quoted(raw)) holds user information before its host",
                remedy: "Leave out what stands before the @; credentials never belong in a URL."
            )
        }
        guard !authority.isEmpty else { throw Self.syntax(raw, "it has no host") }
        let (host, port) = try ConnectTarget.split(authority)
        self.scheme = scheme
        target = ConnectTarget(host: host, port: port ?? (scheme == .http ? 80 : 443))
        let behind = rest[end...]
        let path = behind[..<(behind.firstIndex { Array("?#".utf8).contains($0) } ?? behind.endIndex)]
        self.path = path.isEmpty ? "/" : String(decoding: path, as: UTF8.self)
    }

    /// A path at a target that was read already, as though they were read together.
    ///
    /// - Parameter path: without a query.
    package init(scheme: Scheme, target: ConnectTarget, path: String) throws(EgressRefusal) {
        let isPlain =
            path.utf8.count <= Self.bytesMax - Self.targetBytesMax && path.utf8.first == UInt8(ascii: "/")
            && path.utf8.allSatisfy(Self.isPlain)
        guard isPlain, case .name = target.host else {
            self = try WebAddress(Array("\(scheme.rawValue)://\(target)\(path)".utf8))
            return
        }
        self.scheme = scheme
        self.target = target
        self.path = path
    }

    /// More than a scheme, the longest name and a port have.
    private static let targetBytesMax = 512

    /// True for what every parser takes for a part of the path.
    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "?") && byte != UInt8(ascii: "#")
            && byte != UInt8(ascii: "\\")
    }

    private static func scheme(_ raw: [UInt8]) throws(EgressRefusal) -> Scheme {
        guard let colon = raw.firstIndex(of: UInt8(ascii: ":")), !raw[..<colon].contains(UInt8(ascii: "/")) else {
            throw syntax(raw, "it has no scheme")
        }
        guard let scheme = Scheme(rawValue: String(decoding: raw[..<colon].map(ASCII.lower), as: UTF8.self)) else {
            throw EgressRefusal(
                RuleID("url-scheme"),
                "the scheme of \(EgressRefusal.quoted(raw)) is neither http nor https",
                remedy: "Other protocols go by HOST:PORT."
            )
        }
        guard raw[(colon + 1)...].starts(with: "//".utf8) else { throw syntax(raw, "two slashes follow a scheme") }
        return scheme
    }

    private static func syntax(_ raw: [UInt8], _ problem: String) -> EgressRefusal {
        EgressRefusal(
            RuleID("url-syntax"),
            "\(EgressRefusal.quoted(raw)) is no URL: \(problem)",
            remedy: "Write https://HOST/PATH or http://HOST/PATH."
        )
    }
}
