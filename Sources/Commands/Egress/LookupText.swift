import Domain
import Egress

/// A lookup as a batch writes it: `NAME => A 192.0.2.1, AAAA 2001:db8::1`, with `CNAME ALIAS` before further `=>`.
///
/// Every address that stands there is judged, whenever it would be answered.
enum LookupText {
    static func decide(_ bytes: [UInt8], _ policy: NetworkPolicy) -> EgressDecision {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let arrow = text.firstRange(of: " => ") else { return notUnderstood(text) }
        var aliases: [[UInt8]] = []
        var answers: [IPAddress] = []
        let rest = text[arrow.upperBound...]
        if rest != "(no address)" {
            let words = rest.split { ",; >".contains($0) }.filter { $0 != "=" }
            var index = words.startIndex
            while index < words.endIndex {
                let word = words[index]
                index += 1
                if word.hasPrefix("ttl=") || word == "then" { continue }
                guard index < words.endIndex else { return notUnderstood(text) }
                let value = Array(words[index].utf8)
                index += 1
                if word == "CNAME" {
                    aliases.append(value)
                } else if let address = IPAddress(value), word == (isV4(address) ? "A" : "AAAA") {
                    answers.append(address)
                } else {
                    return notUnderstood(text)
                }
            }
        }
        let name = Array(text[..<arrow.lowerBound].utf8)
        return policy.decide(name: name, aliases: aliases, answers: answers)
    }

    private static func isV4(_ address: IPAddress) -> Bool { if case .v4 = address { true } else { false } }

    private static func notUnderstood(_ text: String) -> EgressDecision {
        EgressDecision(
            EgressRefusal(
                RuleID("dns-syntax"),
                "the lookup \"\(Printable.text(String(text.prefix(80))))\" is not understood",
                remedy: "Write NAME => A ADDRESS, AAAA ADDRESS, or NAME => CNAME NAME => A ADDRESS."
            )
        )
    }
}
