import ArgumentParser
import Domain
import Egress
import Policy

/// `bailey egress`.
struct EgressCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "egress",
        abstract: "Look at what may leave and at what left, and change it while a run lives.",
        subcommands: [Check.self, Log.self, Allow.self, Revoke.self]
    )
}

extension EgressCommand {
    /// Nothing is looked up and nothing is dialled: it tells what the policy says.
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say whether a destination may be reached, by which rule, and what would allow it."
        )
        @OptionGroup var options: ProjectOptions

        @Flag(help: "Read one JSON object per line from standard input, and answer each with one.")
        var stdin = false

        @Argument(help: "HOST, HOST:PORT, URL or 'METHOD URL'.")
        var destinations: [String] = []

        func run() throws {
            let console = Console()
            guard stdin == destinations.isEmpty else {
                throw CommandError(
                    ExitStatus.usage,
                    stdin ? "check destinations: some are given beside --stdin" : "check destinations: none is given",
                    hint: "Give HOST, HOST:PORT or a URL, or --stdin alone."
                )
            }
            if stdin {
                try EgressBatch.answer(console)
                return
            }
            let caller = try Caller.current()
            let root = try ProjectLocator.locate(explicit: options.project, caller: caller)
            let policy = try ConfigurationFiles.load(caller: caller, project: root).network
            let decisions = destinations.map { ($0, policy.decide(destination: $0)) }
            for (text, decision) in decisions { show(text, decision, console) }
            if decisions.contains(where: { $0.1.verdict != .allow }) { throw ExitCode(ExitStatus.negative) }
        }

        private func show(_ text: String, _ decision: EgressDecision, _ console: Console) {
            if options.json {
                let object = JSONValue.object([("destination", .string(text))]).adding(decision.members)
                console.result(String(decoding: object.bytes(), as: UTF8.self))
                return
            }
            console.result(
                "\(decision.verdict.rawValue.padded(6))\(Printable.text(text))  \(decision.rule): \(decision.reason)"
            )
            if let remedy = decision.remedy { console.result("      allowed by: \(remedy)") }
        }
    }
}

extension NetworkPolicy {
    /// A destination as a person writes it.
    func decide(destination: String) -> EgressDecision {
        let bytes = Array(destination.utf8)
        let words = destination.split(separator: " ", omittingEmptySubsequences: false)
        if words.count == 2, words[1].contains("://") {
            return decide(url: Array(words[1].utf8), method: String(words[0]))
        }
        if destination.contains("://") { return decide(url: bytes) }
        if IPAddress(bytes) != nil { return decide(address: bytes) }
        // A bracket and a colon behind it, or a colon alone, begin a port.
        let end = bytes.lastIndex(of: UInt8(ascii: "]")) ?? bytes.startIndex
        return bytes[end...].contains(UInt8(ascii: ":")) ? decide(connect: bytes) : decide(host: bytes)
    }
}

extension EgressDecision {
    /// The members of an answer in JSON.
    var members: [(String, JSONValue)] {
        [
            ("verdict", .string(verdict.rawValue)), ("rule", .string(rule.rawValue)), ("reason", .string(reason)),
            ("allowed_by", remedy.map { .string($0) } ?? .null),
        ]
    }
}
