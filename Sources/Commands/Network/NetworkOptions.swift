import ArgumentParser
import Domain
import Egress

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
