import Domain

/// A name that can be looked up: ASCII, lower case, without a final dot.
package struct HostName: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// RFC 1035, section 2.3.4.
    static let bytesMax = 253
    static let labelBytesMax = 63

    /// Reads a domain that ``WHATWGHost`` made. One final dot, which makes a name absolute, is dropped.
    init(domain: String) throws(EgressRefusal) {
        var bytes = Array(domain.utf8)
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        guard (1...Self.bytesMax).contains(bytes.count) else {
            throw Self.refuse(domain, "a name has 1 to \(Self.bytesMax) bytes")
        }
        let labels = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        for label in labels {
            guard (1...Self.labelBytesMax).contains(label.count) else {
                throw Self.refuse(domain, "a label has 1 to \(Self.labelBytesMax) bytes")
            }
            guard label.allSatisfy(Self.isAllowed) else {
                throw Self.refuse(domain, "a name holds letters, digits, hyphens, underscores and dots only")
            }
            guard !label.starts(with: "xn--".utf8) || Punycode.isALabel(label) else {
                throw Self.refuse(domain, "a label is no valid A-label")
            }
        }
        // Every top-level domain is letters or an A-label. What begins with a digit there is a number to some parser.
        guard let last = labels.last, last.allSatisfy(ASCII.isLetter) || last.starts(with: "xn--".utf8) else {
            throw EgressRefusal(
                RuleID("host-numeric"),
                "the last label of \(EgressRefusal.quoted(domain.utf8)) is no top-level domain: those are letters"
            )
        }
        text = String(decoding: bytes, as: UTF8.self)
    }

    /// Reads a name as written in a rule.
    package init(_ text: String) throws(EgressRefusal) {
        guard case .name(let name) = try Host(Array(text.utf8)) else {
            throw Self.refuse(text, "an address stands where a name belongs")
        }
        self = name
    }

    /// True for a name below a domain, at any depth; the domain itself is not below itself.
    package func isBelow(_ domain: HostName) -> Bool {
        text.utf8.count > domain.text.utf8.count && text.hasSuffix("." + domain.text)
    }

    /// True for one of the names, in lower case, and for every name below one.
    func isAtOrBelow(_ names: Set<String>) -> Bool {
        var rest = text[...]
        while true {
            if names.contains(String(rest)) { return true }
            guard let dot = rest.utf8.firstIndex(of: UInt8(ascii: ".")) else { return false }
            rest = rest[rest.utf8.index(after: dot)...]
        }
    }

    package var description: String { text }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    private static func refuse(_ text: String, _ problem: String) -> EgressRefusal {
        EgressRefusal(
            RuleID("host-syntax"),
            "\(EgressRefusal.quoted(text.utf8)) is no host name: \(problem)",
            remedy: "Write a name such as api.example.com."
        )
    }
}

/// A host in its one ordinary spelling.
package enum Host: Hashable, Sendable, CustomStringConvertible {
    case name(HostName)
    case address(IPAddress)

    /// Reads a host and refuses every spelling that two parsers could read differently: escapes, numbers other than
    /// dotted decimal, names that are not ASCII.
    package init(_ bytes: some Collection<UInt8>) throws(EgressRefusal) {
        let host = try WHATWGHost(bytes)
        guard !bytes.contains(UInt8(ascii: "%")) else {
            throw EgressRefusal(
                RuleID("host-escaped"),
                "the host \(EgressRefusal.quoted(bytes)) is percent-encoded, and others read it as \(host)",
                remedy: "Write the host itself."
            )
        }
        switch host {
        case .domain(let domain): self = .name(try HostName(domain: domain))
        case .v6(let address): self = .address(.v6(address))
        case .v4(let address):
            guard IPv4Address(bytes) == address else {
                throw EgressRefusal(
                    RuleID("host-numeric"),
                    "the host \(EgressRefusal.quoted(bytes)) is another spelling of \(address)",
                    remedy: "Addresses are read in dotted decimal only."
                )
            }
            self = .address(.v4(address))
        }
    }

    package var description: String {
        switch self {
        case .name(let name): name.text
        case .address(let address): address.bracketed
        }
    }
}
