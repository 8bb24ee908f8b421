import ArgumentParser
import Domain
import Egress
import Policy

/// What a command line lists beside the operator's `network: allow`.
struct NetworkOptions: ParsableArguments {
    @Option(
        name: .customLong("allow-host"),
        parsing: .unconditionalSingleValue,
        help: "Let the command reach NAME, *.NAME or NAME:PORT (443 without one). May be repeated."
    )
    var hosts: [String] = []

    @Option(
        name: .customLong("allow-net"),
        parsing: .unconditionalSingleValue,
        help: "Let the command make requests below a URL: '[METHOD,…] URL-PREFIX'. May be repeated."
    )
    var requests: [String] = []

    @Option(
        name: .customLong("allow-for"),
        parsing: .unconditional,
        help: "How long what --allow-host and --allow-net list may be reached, such as 90, 5m or 1h."
    )
    var allowFor: String?

    @Option(
        name: .customLong("secret"),
        parsing: .unconditionalSingleValue,
        help: "Bind a secret to a host: NAME=HOST[:PORT][:HEADER]. Its value stays outside. May be repeated."
    )
    var secrets: [String] = []

    @Option(
        name: .customLong("model-provider"),
        parsing: .unconditionalSingleValue,
        help:
            "Let the command use models of NAME, such as anthropic or openai, by a base URL inside. May be repeated."
    )
    var providers: [String] = []

    @Option(
        parsing: .unconditionalSingleValue,
        help: "Let this machine's programs reach a server inside on this PORT of the loopback. May be repeated."
    )
    var publish: [String] = []

    /// A server inside cannot have a lower port.
    private static let lowestPublished: UInt16 = 1024
    private static let publishedMax = 16

    /// The ports that are published, as they were given.
    func ports() throws(CommandError) -> [UInt16] {
        var ports: [UInt16] = []
        for text in publish {
            guard let number = CountText(text).flatMap({ UInt16(exactly: $0.value) }), number > 0 else {
                throw Self.refuse("--publish", text, "it is no port", "Write a number from 1024 to 65535.")
            }
            guard number >= Self.lowestPublished else {
                let why = "no server inside can listen on a port below \(Self.lowestPublished)"
                throw Self.refuse("--publish", text, why, "Have it listen on a higher one, and publish that.")
            }
            guard !ports.contains(number) else {
                throw Self.refuse("--publish", text, "it is there twice", "Leave one out.")
            }
            ports.append(number)
        }
        guard ports.count <= Self.publishedMax else {
            let why = "there are more than \(Self.publishedMax)"
            throw Self.refuse("--publish", publish[Self.publishedMax], why, "Publish fewer ports.")
        }
        return ports
    }

    /// How long the command line's entries last; nil for as long as the run.
    func milliseconds() throws(CommandError) -> UInt64? {
        guard let allowFor else { return nil }
        guard let time = DurationText(allowFor) else {
            throw Self.refuse("--allow-for", allowFor, "not a value it takes", "It takes \(DurationText.accepted).")
        }
        guard !(hosts + requests).isEmpty else {
            let hint = "Give --allow-host or --allow-net with it."
            throw Self.refuse("--allow-for", allowFor, "there is nothing that it could end", hint)
        }
        return time.milliseconds
    }

    func rules() throws(CommandError) -> [NetworkRule] {
        var rules: [NetworkRule] = []
        for text in hosts {
            guard !text.contains("://"), !text.contains(" ") else {
                throw Self.refuse("--allow-host", text, "it is a URL or has methods", "Write --allow-net '\(text)'.")
            }
            rules.append(try Self.rule("--allow-host", text))
        }
        for text in requests {
            guard text.contains("://") else {
                throw Self.refuse("--allow-net", text, "it has no URL", "Write --allow-host NAME for a whole host.")
            }
            rules.append(try Self.rule("--allow-net", text))
        }
        return rules
    }

    private static func rule(_ option: String, _ text: String) throws(CommandError) -> NetworkRule {
        do throws(EgressRefusal) {
            return try NetworkRule(text)
        } catch {
            throw refuse(option, text, error.reason, error.remedy ?? "Leave it out.")
        }
    }

    private static func refuse(_ option: String, _ text: String, _ why: String, _ hint: String) -> CommandError {
        let shown = Printable.text(String(text.prefix(80)))
        return CommandError(ExitStatus.usage, "read \(option) \(shown): \(why)", hint: Printable.text(hint))
    }
}
