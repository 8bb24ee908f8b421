import Domain

/// What is special about a block of addresses.
struct SpecialBlock: Sendable {
    let block: AddressBlock
    let rule: RuleID
    let name: String
}

/// The blocks that are not globally reachable, and the exceptions within them.
///
/// Sources: the IANA IPv4 Special-Purpose Address Registry, the IANA IPv6 Special-Purpose Address Registry (both RFC
/// 6890 as updated by RFC 8190), the IANA IPv6 Global Unicast allocations (RFC 4291: only `2000::/3`), multicast (RFC
/// 5771, RFC 4291), and the addresses at which clouds serve credentials to whatever runs in them.
enum SpecialPurpose {
    static let loopback = RuleID("address-loopback")
    static let metadata = RuleID("address-metadata")
    static let privateUse = RuleID("address-private")
    static let linkLocal = RuleID("address-link-local")
    static let reserved = RuleID("address-reserved")
    static let multicast = RuleID("address-multicast")
    static let embedded = RuleID("address-embedded")

    /// First, because they lie within other blocks or look public.
    static let clouds = table([
        ("169.254.169.254/32", metadata, "a cloud's metadata service"),
        ("169.254.170.2/32", metadata, "a cloud's credential service for containers"),
        ("168.63.129.16/32", metadata, "a cloud's platform address, reachable only from inside that cloud"),
        ("100.100.100.200/32", metadata, "a cloud's metadata service"),
        ("192.0.0.192/32", metadata, "a cloud's metadata service"),
        ("fd00:ec2::254/128", metadata, "a cloud's metadata service"),
        ("fd20:ce::254/128", metadata, "a cloud's metadata service"),
        ("fd00:42::42/128", metadata, "a cloud's metadata service"),
    ])

    static let v4 = table([
        ("0.0.0.0/8", reserved, "this network (RFC 791)"),
        ("10.0.0.0/8", privateUse, "private use (RFC 1918)"),
        ("100.64.0.0/10", privateUse, "shared address space (RFC 6598)"),
        ("127.0.0.0/8", loopback, "loopback (RFC 1122)"),
        ("169.254.0.0/16", linkLocal, "link local (RFC 3927)"),
        ("172.16.0.0/12", privateUse, "private use (RFC 1918)"),
        ("192.0.0.0/24", reserved, "IETF protocol assignments (RFC 6890)"),
        ("192.0.2.0/24", reserved, "documentation (RFC 5737)"),
        ("192.88.99.0/24", reserved, "the deprecated 6to4 relay anycast (RFC 7526)"),
        ("192.168.0.0/16", privateUse, "private use (RFC 1918)"),
        ("198.18.0.0/15", reserved, "benchmarking (RFC 2544)"),
        ("198.51.100.0/24", reserved, "documentation (RFC 5737)"),
        ("203.0.113.0/24", reserved, "documentation (RFC 5737)"),
        ("224.0.0.0/4", multicast, "multicast (RFC 5771)"),
        ("240.0.0.0/4", reserved, "reserved, with the limited broadcast (RFC 1112, RFC 8190)"),
    ])

    /// Globally reachable according to the registry, within a block that is not.
    static let v4Exceptions = blocks(["192.0.0.9/32", "192.0.0.10/32"])

    /// The only IPv6 space that is allocated as global unicast.
    static let v6Global = blocks(["2000::/3"])

    static let v6 = table([
        ("2001::/32", embedded, "Teredo, which is gone (RFC 4380)"),
        ("2001::/23", reserved, "IETF protocol assignments (RFC 2928)"),
        ("2001:db8::/32", reserved, "documentation (RFC 3849)"),
        ("2002::/16", embedded, "6to4, which is deprecated (RFC 7526)"),
        ("3fff::/20", reserved, "documentation (RFC 9637)"),
    ])

    static let v6Exceptions = blocks([
        "2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:3::/32", "2001:4:112::/48", "2001:20::/28",
        "2001:30::/28",
    ])

    /// Outside `2000::/3` everything is refused; these only have a name.
    static let v6Named = table([
        ("::/128", reserved, "the unspecified address, which connects to loopback (RFC 4291)"),
        ("::1/128", loopback, "loopback (RFC 4291)"),
        ("::ffff:0:0/96", embedded, "an IPv4-mapped address (RFC 4291)"),
        ("::/96", embedded, "an IPv4-compatible address, which is deprecated (RFC 4291)"),
        ("64:ff9b:1::/48", embedded, "local-use NAT64 (RFC 8215)"),
        ("fc00::/7", privateUse, "unique local (RFC 4193)"),
        ("fe80::/10", linkLocal, "link local (RFC 4291)"),
        ("fec0::/10", privateUse, "site local, which is deprecated (RFC 3879)"),
        ("ff00::/8", multicast, "multicast (RFC 4291)"),
    ])

    private static func table(_ rows: [(String, RuleID, String)]) -> [SpecialBlock] {
        rows.map { row in SpecialBlock(block: block(row.0), rule: row.1, name: row.2) }
    }

    private static func blocks(_ texts: [String]) -> [AddressBlock] { texts.map(block) }

    private static func block(_ text: String) -> AddressBlock {
        guard let block = AddressBlock(text) else { preconditionFailure("\(text) is a block of addresses") }
        return block
    }
}
