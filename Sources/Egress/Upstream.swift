import Domain

/// A declared way to one address that the guard would refuse: one name, one port, one fixed address. The operator's.
package struct Upstream: Hashable, Sendable, CustomStringConvertible {
    package let name: HostName
    package let port: UInt16
    package let address: IPAddress
    package let addressPort: UInt16
    /// A file with the root certificate that this upstream alone is verified against; nil for the system's roots.
    package let certificateAuthority: String?
    /// Made once: each request there is recorded with it.
    package let description: String

    /// - Parameter address: `ADDRESS:PORT`, an IPv6 address in brackets.
    package init(host: String, port: UInt16, address: String, ca: String?) throws(EgressRefusal) {
        let name = try HostName(host)
        guard name.text != "localhost", !name.text.hasSuffix(".localhost") else {
            throw EgressRefusal(
                RuleID("upstream-host"),
                "the upstream \(name.text) has a name that always means the sandbox itself",
                remedy: "Give it another name, such as model.example.test."
            )
        }
        let target = try ConnectTarget(Array(address.utf8))
        guard case .address(let fixed) = target.host else {
            throw EgressRefusal(
                RuleID("upstream-address"),
                "the upstream \(name.text) has a name where its fixed address belongs",
                remedy: "Write ADDRESS:PORT, such as 127.0.0.1:8443."
            )
        }
        if let problem = Self.undiallable(fixed) {
            throw EgressRefusal(
                RuleID("upstream-address"),
                "the upstream \(name.text) has the address \(fixed), which is \(problem)",
                remedy: "Write the address that the service itself listens on."
            )
        }
        self.name = name
        self.port = port
        self.address = fixed
        addressPort = target.port
        certificateAuthority = ca
        description = "\(name.text):\(port) at \(fixed.bracketed):\(target.port)"
    }

    /// Addresses that are no single machine's, or that stand for another.
    private static func undiallable(_ address: IPAddress) -> String? {
        let blocks = SpecialPurpose.v4 + SpecialPurpose.v6 + SpecialPurpose.v6Named
        guard let special = blocks.first(where: { $0.block.contains(address) }) else { return nil }
        switch special.rule {
        case SpecialPurpose.multicast, SpecialPurpose.embedded, SpecialPurpose.reserved: return special.name
        default: return nil
        }
    }
}
