import ArgumentParser
import Domain
import Egress
import Files
import Journal
import Policy
import Sandbox

extension EgressCommand {
    /// Lets a run that lives reach more.
    struct Allow: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a live run reach more, until it ends or for a time."
        )
        @OptionGroup var options: ProjectOptions

        @Option(name: .customLong("for"), parsing: .unconditional, help: "How long, such as 90, 2s, 5m or 1h.")
        var duration: String?

        @Argument(help: "A run: an id, an unambiguous prefix of one, or last.") var name: String
        @Argument(help: "NAME, *.NAME, NAME:PORT or '[METHOD,…] URL-PREFIX'.") var entries: [String]

        func run() throws {
            let time = try duration.map { (text) throws(CommandError) in
                guard let time = DurationText(text) else {
                    throw CommandError(
                        ExitStatus.usage,
                        "read --for \(Printable.text(text)): not a value it takes",
                        hint: "It takes \(DurationText.accepted)."
                    )
                }
                return time.milliseconds
            }
            let request = GrantRequest(.allow, entries, milliseconds: time)
            try LiveRun.find(name, project: options.project).ask(request, json: options.json)
        }
    }

    /// Lets a run that lives reach less.
    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take entries from a live run, whoever listed them; connections that they allowed are closed."
        )
        @OptionGroup var options: ProjectOptions
        @Argument(help: "A run: an id, an unambiguous prefix of one, or last.") var name: String
        @Argument(help: "The entries, as they were listed.") var entries: [String]

        func run() throws {
            try LiveRun.find(name, project: options.project).ask(GrantRequest(.revoke, entries), json: options.json)
        }
    }
}

/// A run that lives, as another process finds it.
private struct LiveRun: ~Copyable {
    let session: Session
    let run: RunID

    static func find(_ name: String, project: String?) throws -> LiveRun {
        let session = try Session.open(project: project)
        let run = try RunDirectory.find(name, in: session.project)
        return LiveRun(session: session, run: run)
    }

    func ask(_ request: GrantRequest, json: Bool) throws {
        try check(request)
        let attempt = "\(request.verb) \(request.entries.map(Printable.text).joined(separator: ", ")) in run \(run)"
        guard try RunLock.isHeld(RunDirectory.open(run, in: session.project)) else {
            throw CommandError(ExitStatus.negative, "\(attempt): it has ended", hint: "Start a new run with the entry.")
        }
        let created = try session.lines(run).first { $0.type == RecordType.runCreated.rawValue }
        guard let created else { throw notYet(attempt) }
        if case .array = created.data["network"] {
        } else {
            throw CommandError(
                ExitStatus.negative,
                "\(attempt): it was started without a network",
                hint: "A run has one if anything was listed at its start, such as by --allow-host."
            )
        }
        let place = try session.state.directory(LiveGrants.place)
        guard let bytes = try ControlSocket.ask(run.rawValue, in: place, request.bytes) else { throw notYet(attempt) }
        switch GrantAnswer(bytes) {
        case nil: throw CommandError(ExitStatus.failed, "\(attempt): its answer is not understood")
        case .refused(let reason, let remedy):
            let hint = remedy.map { Printable.text($0) }
            throw CommandError(ExitStatus.negative, "\(attempt): \(Printable.text(reason))", hint: hint)
        case .done: tell(request, json: json)
        }
    }

    private func check(_ request: GrantRequest) throws {
        guard request.entries.count <= GrantRequest.entriesMax else {
            throw CommandError(
                ExitStatus.usage,
                "\(request.verb) \(request.entries.count) entries: at most \(GrantRequest.entriesMax) at once",
                hint: "Do it in several steps."
            )
        }
        for entry in request.entries {
            do throws(EgressRefusal) {
                _ = try NetworkRule(entry)
            } catch {
                throw CommandError(ExitStatus.usage, "\(request.verb): \(error.reason)", hint: error.remedy)
            }
        }
    }

    private func notYet(_ attempt: String) -> CommandError {
        CommandError(
            ExitStatus.negative,
            "\(attempt): it takes no requests now",
            hint: "It is just beginning or ending; `bailey runs show \(run)` tells. Try again in a moment."
        )
    }

    private func tell(_ request: GrantRequest, json: Bool) {
        if json {
            let object = JSONValue.object([
                ("run", .string(run.rawValue)), ("verb", .string(request.verb.rawValue)),
                ("entries", .array(request.entries.map { .string($0) })),
                ("milliseconds", request.milliseconds.map { .unsigned($0) } ?? .null),
            ])
            return session.console.result(String(decoding: object.bytes(), as: UTF8.self))
        }
        for entry in request.entries {
            switch request.verb {
            case .allow: session.console.result("allowed  \(entry)  \(GrantText.time(request.milliseconds))")
            case .revoke: session.console.result("revoked  \(entry)")
            }
        }
    }
}

/// Grants as the journal has them, for a person.
enum GrantText {
    static let types = [RecordType.networkAllowed, .networkRevoked, .networkExpired].map(\.rawValue)

    /// Nil for a line that tells of no grant.
    static func text(_ line: JournalLine) -> String? {
        let entries = (line.data["entries"]?.arrayValue ?? []).compactMap(\.stringValue)
        let list = entries.map { Printable.text($0) }.joined(separator: ", ")
        switch RecordType(rawValue: line.type) {
        case .networkAllowed: return "allowed   \(list)  \(time(line.data["milliseconds"]?.unsignedValue))"
        case .networkRevoked: return "revoked   \(list)"
        case .networkExpired: return "expired   \(list)"
        default: return nil
        }
    }

    static func time(_ milliseconds: UInt64?) -> String {
        guard let milliseconds else { return "until the run ends" }
        return milliseconds % 1000 == 0 ? "for \(milliseconds / 1000) s" : "for \(milliseconds) ms"
    }
}
