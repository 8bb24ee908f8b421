import Domain
import Journal

/// One run as a page: for a person in lines, for a program as JSON. From the journal alone, as far as that can be read.
struct RunPage {
    /// Findings and conflicts that are shown; the record and `changes show` hold more.
    private static let findingsMax = 10
    /// The journal and `--json` hold more.
    private static let alarmsMax = 20

    let summary: RunSummary
    let facts: RunFacts
    let observation: RunObservation
    /// How the network was changed while the run lived.
    private let grants: [String]
    /// Why what follows in the journal cannot be read; nil where all was read.
    let damage: String?

    init(_ run: RunID, lines: [JournalLine], isLive: Bool, damage: String?) {
        summary = RunSummary(run, lines: lines, isLive: isLive)
        facts = RunFacts(lines: lines)
        observation = RunObservation(lines: lines)
        grants = lines.compactMap(GrantText.text)
        self.damage = damage
    }

    var json: JSONValue {
        summary.json.adding([("observation", observation.json)]).adding(facts.json)
            .adding([("damage", damage.map { .string($0) } ?? .null)])
    }

    /// - Parameter processes: whether each process is shown, with all its arguments.
    func lines(_ paint: Paint, processes: Bool) -> [String] {
        var rows = Rows(paint: paint)
        if let damage { rows.add("damaged", Printable.text(damage), .red) }
        alarms(&rows)
        head(&rows)
        network(&rows)
        changes(&rows)
        seen(&rows, all: processes)
        return rows.lines
    }

    /// First those that no program inside can raise by itself.
    private func alarms(_ rows: inout Rows) {
        let reflected = RuleID.credentialReflected.rawValue
        let all = facts.alarms.filter { $0.rule == reflected } + facts.alarms.filter { $0.rule != reflected }
        for alarm in all.prefix(Self.alarmsMax) { rows.add("ALARM", alarm.text, .red) }
        let more = all.count - Self.alarmsMax
        if more > 0 { rows.add("ALARM", "\(more) more; see: bailey egress log \(summary.run)", .red) }
    }

    private func head(_ rows: inout Rows) {
        rows.add("run", summary.run.rawValue, .bold)
        rows.add("created", summary.created)
        rows.add("command", summary.command.map { Printable.text($0) }.joined(separator: " "))
        rows.add("in", text(facts.created["working_directory"]))
        rows.add("state", summary.state.rawValue)
        rows.add("ending", summary.ending, summary.exitCode == 0 && summary.cause == nil ? .green : .red)
        rows.add("time", time)
        rows.add("engine", engine)
        rows.add("limits", limits)
        let isTold = facts.created["recipe"]?["told_of_wall"]?.boolValue ?? false
        let told = isTold ? "; its own sandbox was told of this one" : ""
        rows.add("recipe", name(facts.created["recipe"]).map { $0 + told })
        for secret in facts.created["secrets"]?.arrayValue ?? [] { rows.add("secret", binding(secret)) }
        if let error = summary.error { rows.add("error", Printable.text(error), .red) }
    }

    private var time: String? {
        guard let wall = summary.wallMilliseconds.flatMap({ UInt64(exactly: $0) }) else { return nil }
        var parts = ["\(wall) ms"]
        if wall >= 1000 { parts = [Quantity.time(milliseconds: wall)] }
        if let cpu = facts.ended["cpu_milliseconds"]?.unsignedValue {
            parts.append("cpu " + Quantity.time(milliseconds: cpu))
        }
        if let peak = facts.ended["peak_memory_bytes"]?.unsignedValue { parts.append("memory " + Quantity.bytes(peak)) }
        return parts.joined(separator: ", ")
    }

    private var engine: String? {
        guard let engine = facts.created["engine"]?.stringValue else { return nil }
        let workspace = facts.created["workspace"]?.stringValue.map { ", \($0)" } ?? ""
        let walls = (facts.ended["layers"]?.arrayValue ?? []).compactMap(\.stringValue)
        let behind = walls.isEmpty ? "" : "; walls: " + walls.joined(separator: " ")
        return Printable.text(engine + workspace + behind)
    }

    private var limits: String? {
        let limits = facts.created["limits"]
        func size(_ name: String, _ shown: String) -> String? {
            limits?[name]?.unsignedValue.map { "\(shown) \(Quantity.bytes($0))" }
        }
        let texts = [
            limits?["timeout_milliseconds"]?.unsignedValue.map { "time " + Quantity.time(milliseconds: $0) },
            limits?["cpu_seconds"]?.unsignedValue.map { "cpu " + Quantity.time(milliseconds: $0.saturatingTimes1000) },
            size("memory_bytes", "memory"), limits?["processes"]?.unsignedValue.map { "processes \($0)" },
            size("output_bytes", "output"), size("workspace_bytes", "changes"),
        ].compactMap(\.self)
        guard !texts.isEmpty else { return nil }
        let reached = summary.cause.map { "; reached: " + Printable.text($0) } ?? ""
        return texts.joined(separator: ", ") + (LimitName(rawValue: summary.cause ?? "") == nil ? "" : reached)
    }

    private func network(_ rows: inout Rows) {
        if let entries = facts.created["network"]?.arrayValue {
            for entry in entries { rows.add("may reach", text(entry)) }
        }
        for line in grants { rows.add("network", line) }
        for line in facts.hosts.lines { rows.add("reached", line) }
        for line in facts.models.map({ ModelLines(use: $0) { Printable.text($0) }.lines }) ?? [] {
            rows.add("models", line)
        }
        if let breakdown = facts.network["breakdown"]?.stringValue {
            rows.add("network", "broke down: " + Printable.text(breakdown), .red)
        }
        for refusal in facts.refused {
            let times = refusal.count > 1 ? ", \(refusal.count) times" : ""
            let remedy = refusal.remedy.map { "; what would allow it: " + Printable.text($0) } ?? ""
            let isPlain = RuleID(told: refusal.rule)?.isAboutTarget ?? false
            let reason = isPlain ? "" : ": " + Printable.text(refusal.reason)
            let target = Printable.text(refusal.target)
            rows.add("refused", "\(target)\(times) [\(Printable.text(refusal.rule))]\(reason)\(remedy)", .yellow)
        }
        if !facts.refused.isEmpty { rows.add("", "bailey policy suggest \(summary.run)", .dim) }
    }

    private func changes(_ rows: inout Rows) {
        guard let counts = summary.counts else { return }
        rows.add("changes", counts.text)
        func show(_ name: String, _ items: [JSONValue], _ word: String) {
            for item in items.prefix(Self.findingsMax) {
                let rule = item[word]?.stringValue ?? "?"
                let level = item["level"]?.stringValue ?? name
                rows.add(Printable.text(level), "\(text(item["path"]) ?? "?") [\(Printable.text(rule))]", .yellow)
            }
            if items.count > Self.findingsMax { rows.add(name, "\(items.count - Self.findingsMax) more") }
        }
        show("gate", facts.findings, "rule")
        show("conflict", facts.conflicts, "cause")
        if summary.state == .held { rows.add("", "bailey changes show \(summary.run)", .dim) }
    }

    private func seen(_ rows: inout Rows, all: Bool) {
        guard observation.state == Observation.State.complete.rawValue else {
            if observation.state != nil { rows.add("processes", "not observed: the kernel gave no listener") }
            return
        }
        for line in observation.denialLines { rows.add("denied", line, .yellow) }
        if observation.denialsLeftOut > 0 { rows.add("denied", "\(observation.denialsLeftOut) more") }
        let tree = ProcessTree(observation.processes).lines(atMost: all ? nil : ProcessTree.shortLinesMax)
        for line in tree { rows.add("process", line) }
        let rest = observation.processes.count - tree.count
        if rest > 0 { rows.add("process", "\(rest) more; --processes shows them") }
        if observation.endingsUnknown > 0 {
            rows.add("process", "\(observation.endingsUnknown) of which it is not known how they ended")
        }
        if observation.processesLeftOut > 0 { rows.add("process", "\(observation.processesLeftOut) more, not kept") }
    }

    private func text(_ value: JSONValue?) -> String? { value?.stringValue.map { Printable.text($0) } }

    /// A name, or an object that has one.
    private func name(_ value: JSONValue?) -> String? { text(value) ?? text(value?["name"]) }

    /// A secret's name and where it may go; a record holds no more of it.
    private func binding(_ value: JSONValue) -> String? {
        if let whole = text(value) { return whole }
        let parts = ["name", "host", "header", "field"].compactMap { text(value[$0]) }
        return parts.isEmpty ? nil : parts.joined(separator: " ")
    }
}

/// Lines of a page: a word, then what there is to say.
private struct Rows {
    private static let width = 10
    let paint: Paint
    private(set) var lines: [String] = []

    init(paint: Paint) { self.paint = paint }

    mutating func add(_ name: String, _ text: String?, _ colour: Paint.Colour? = nil) {
        guard let text else { return }
        let shown = colour.map { paint($0, text) } ?? text
        lines.append(name.padded(Self.width) + shown)
    }
}

extension UInt64 {
    fileprivate var saturatingTimes1000: UInt64 {
        let (product, overflows) = multipliedReportingOverflow(by: 1000)
        return overflows ? .max : product
    }
}
