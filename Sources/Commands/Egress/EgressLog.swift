import ArgumentParser
import Domain
import Journal

extension EgressCommand {
    /// What the journal says of a run's network.
    struct Log: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what a run reached over the network, and what it was refused."
        )
        @OptionGroup var options: ProjectOptions
        @Argument(help: "A run: an id, an unambiguous prefix of one, or last.") var name: String = "last"

        private static let types =
            [RecordType.connectionClosed, .connectionRefused, .credentialAlarm, .networkEnded].map(\.rawValue)
            + GrantText.types

        func run() throws {
            let session = try Session.open(project: options.project)
            let run = try RunDirectory.find(name, in: session.project)
            for line in try session.lines(run) where Self.types.contains(line.type) {
                if options.json {
                    let head: [(String, JSONValue)] = [
                        ("time", .string(line.timestamp)), ("type", .string(line.type)),
                    ]
                    let object = JSONValue.object(head).adding([("data", line.data)])
                    session.console.result(String(decoding: object.bytes(), as: UTF8.self))
                } else {
                    session.console.result(line.timestamp + "  " + Self.text(line))
                }
            }
        }

        private static func text(_ line: JournalLine) -> String {
            if let grant = GrantText.text(line) { return grant }
            let data = line.data
            func text(_ name: String) -> String { Printable.text(data[name]?.stringValue ?? "") }
            func number(_ name: String) -> UInt64 { data[name]?.unsignedValue ?? 0 }
            if line.type == RecordType.networkEnded.rawValue {
                let breakdown = data["breakdown"]?.stringValue.map { "; broke down: " + Printable.text($0) } ?? ""
                return "end       \(number("connections")) connections, \(number("bytes_out")) bytes out, "
                    + "\(number("bytes_in")) bytes in, \(number("refusals")) refused" + breakdown
            }
            let place = text("host") + (number("port") == 0 ? "" : ":\(number("port"))")
            let request = data["request"]?.stringValue.map { " " + Printable.text($0) } ?? ""
            if line.type == RecordType.connectionRefused.rawValue {
                let remedy = data["allowed_by"]?.stringValue.map { " Allowed by: " + Printable.text($0) } ?? ""
                return "refused   \(place)\(request)  \(text("rule")): \(text("reason")).\(remedy)"
            }
            if line.type == RecordType.credentialAlarm.rawValue {
                return "ALARM     \(place)\(request)  \(text("rule")): \(text("reason"))."
            }
            let ending = data["ending"]?.stringValue.map { "; " + Printable.text($0) } ?? ""
            let isInward = text("door") == "published" && text("treatment") == "spliced"
            return (isInward ? "published" : text("treatment")).padded(10)
                + "\(place)\(request)  \(text("address"))  \(number("bytes_out")) bytes out, "
                + "\(number("bytes_in")) bytes in, \(number("milliseconds")) ms\(ending)"
        }
    }
}
