import Foundation

/// What `bailey runs show` tells of the last run's processes and denials.
struct ObservedRun {
    struct Process {
        let fields: [String: Any]
        var id: Int? { (fields["process"] as? NSNumber)?.intValue }
        var parent: Int? { (fields["parent"] as? NSNumber)?.intValue }
        var path: String? { fields["path"] as? String }
        var arguments: [String] { fields["arguments"] as? [String] ?? [] }
        var exitCode: Int? { (fields["exit_code"] as? NSNumber)?.intValue }
        var signal: Int? { (fields["signal"] as? NSNumber)?.intValue }
        func number(_ name: String) -> Int? { (fields[name] as? NSNumber)?.intValue }
    }

    let answer: Answer

    init(_ yard: Yard) throws { answer = try yard.bailey(["runs", "show", "--json"]).answer }

    var state: String? { answer.text("observation.state") }
    var processes: [Process] { answer.objects("observation.processes").map { Process(fields: $0) } }
    var denials: [[String: Any]] { answer.objects("observation.denials") }
    var rules: [String] { denials.compactMap { $0["rule"] as? String } }

    /// The process that executed a program of this name with these words somewhere in its arguments.
    func process(_ name: String, _ words: String = "") -> Process? {
        processes.first { process in
            (process.path ?? "").split(separator: "/").last.map(String.init) == name
                && (words.isEmpty || process.arguments.joined(separator: " ").contains(words))
        }
    }
}
