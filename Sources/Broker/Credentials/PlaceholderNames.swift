import BrokerLink
import Domain
import Egress

/// Placeholders in names: whoever cannot send one to a host can still try to look up a name with it.
enum PlaceholderNames {
    /// Nil where none of the run's placeholders is part of a name.
    static func refusal(of name: String, _ settings: BrokerSettings) -> EgressRefusal? {
        guard !settings.secrets.isEmpty, holds(name, cores(of: settings.secrets)) else { return nil }
        return refuse("is part of a host's name")
    }

    /// Where a door is asked for a host, in whatever way.
    private static let askedBytesMax = 4 << 10

    /// Of what a client says to a door that does not understand it.
    static func refusal(of said: [UInt8], _ settings: BrokerSettings) -> EgressRefusal? {
        guard !settings.secrets.isEmpty else { return nil }
        let asked = String(decoding: said.prefix(askedBytesMax), as: UTF8.self)
        guard holds(asked, cores(of: settings.secrets)) else { return nil }
        return refuse("stands where a host's name belongs")
    }

    private static func refuse(_ problem: String) -> EgressRefusal {
        EgressRefusal(
            .credentialPlaceholder,
            "the placeholder of a secret \(problem)",
            remedy: "Nothing allows it: the broker itself sets the secret, in the one field that it is bound to."
        )
    }

    /// In lower case: names fold it.
    static func cores(of secrets: [HeldSecret]) -> [String] {
        secrets.flatMap { secret in
            let bytes = Array(secret.placeholder.text.utf8)
            return Placeholder.cores(in: bytes).map {
                String(decoding: bytes[$0..<$0 + Placeholder.coreCount], as: UTF8.self).lowercased()
            }
        }
    }

    /// Labels are read as one word too.
    static func holds(_ name: String, _ cores: [String]) -> Bool {
        guard name.utf8.count >= Placeholder.coreCount else { return false }
        let name = name.lowercased()
        let joined = name.filter { $0 != "." }
        return cores.contains { name.contains($0) || joined.contains($0) }
    }
}
