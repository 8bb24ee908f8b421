import Domain

/// Names that mean something inside a network or a machine, and nothing in the public DNS.
enum InternalNames {
    /// Top-level domains that are never delegated, or not for the DNS: RFC 6761, RFC 6762, RFC 7686, RFC 8375, RFC
    /// 9476, ICANN's reservation of `internal`, the names that ICANN holds back because of collisions, and what
    /// hosts files and container networks use.
    private static let topLevel: Set<String> = [
        "alt", "arpa", "bit", "cluster", "corp", "docker", "domain", "home", "i2p", "internal", "intranet", "invalid",
        "lan", "local", "localdomain", "localdomain4", "localdomain6", "localhost", "mail", "onion", "private", "svc",
        "test", "workgroup",
    ]

    /// Public names of clouds' metadata services.
    private static let metadata: Set<String> = ["metadata.goog", "metadata.google.com"]

    static func refusal(of name: HostName) -> EgressRefusal? {
        let labels = name.text.split(separator: ".")
        guard let last = labels.last else { return nil }
        if metadata.contains(name.text) || metadata.contains(where: { name.text.hasSuffix("." + $0) }) {
            return refuse(name, RuleID("name-metadata"), "is a cloud's metadata service")
        }
        if labels.count == 1 {
            return refuse(name, RuleID("name-internal"), "has a single label, so only this network knows what it is")
        }
        if topLevel.contains(String(last)) {
            return refuse(name, RuleID("name-internal"), "lies below .\(last), which the public DNS does not have")
        }
        return nil
    }

    private static func refuse(_ name: HostName, _ rule: RuleID, _ problem: String) -> EgressRefusal {
        EgressRefusal(
            rule,
            "\(name.text) \(problem)",
            remedy: "Only a declared upstream of the operator's reaches it: this name, one port, one fixed address."
        )
    }
}
