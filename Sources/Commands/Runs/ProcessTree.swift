import Domain

/// The processes of a run as an indented tree, one line each.
struct ProcessTree {
    /// Lines of the short form.
    static let shortLinesMax = 20
    private static let commandCharactersMax = 60
    private static let depthMax = 20

    private let processes: [JSONValue]
    private var children: [[Int]]
    private var roots: [Int] = []

    /// - Parameter processes: objects as the journal holds them, in the order of their first execution.
    init(_ processes: [JSONValue]) {
        self.processes = processes
        children = Array(repeating: [], count: processes.count)
        // An id can come back when its first owner is gone: the latest before a child is its parent.
        var latest: [Int64: Int] = [:]
        for (row, process) in processes.enumerated() {
            if let parent = process["parent"]?.integerValue, let above = latest[parent] {
                children[above].append(row)
            } else {
                roots.append(row)
            }
            if let id = process["process"]?.integerValue { latest[id] = row }
        }
    }

    /// - Parameter linesMax: nil for all.
    func lines(atMost linesMax: Int?) -> [String] {
        var lines: [String] = []
        var waiting = roots.reversed().map { ($0, 0) }
        while let (row, depth) = waiting.popLast(), lines.count < linesMax ?? .max {
            lines.append(line(processes[row], depth: depth, isShort: linesMax != nil))
            waiting += children[row].reversed().map { ($0, min(depth + 1, Self.depthMax)) }
        }
        return lines
    }

    private func line(_ process: JSONValue, depth: Int, isShort: Bool) -> String {
        let id = process["process"]?.integerValue.map(String.init) ?? "?"
        var command = Self.command(process)
        if isShort, command.count > Self.commandCharactersMax {
            command = command.prefix(Self.commandCharactersMax - 1) + "…"
        }
        let left = String(repeating: "  ", count: depth) + id + " " + command
        return left.padded(Self.commandCharactersMax + 10) + Self.facts(process)
    }

    /// The arguments with the executed path in the place of the first, which is only what somebody called it.
    private static func command(_ process: JSONValue) -> String {
        let arguments = (process["arguments"]?.arrayValue ?? []).compactMap(\.stringValue)
        let words = [process["path"]?.stringValue ?? arguments.first ?? "?"] + arguments.dropFirst()
        let isCut = process["is_cut"]?.boolValue ?? false
        return (words.map { Printable.text($0) } + (isCut ? ["…"] : [])).joined(separator: " ")
    }

    private static func facts(_ process: JSONValue) -> String {
        var facts: [String] = []
        if let path = process["failed_path"]?.stringValue { facts.append("could not execute \(Printable.text(path))") }
        if let code = process["exit_code"]?.integerValue { facts.append("exit \(code)") }
        if let signal = process["signal"]?.integerValue { facts.append("signal \(signal)") }
        if let start = process["start_microseconds"]?.integerValue, let end = process["end_microseconds"]?.integerValue
        {
            facts.append("\((end - start) / 1000) ms")
        }
        if let cpu = process["cpu_microseconds"]?.integerValue { facts.append("cpu \(cpu / 1000) ms") }
        if let peak = process["peak_memory_bytes"]?.integerValue { facts.append("\(peak >> 20) MiB") }
        return facts.joined(separator: ", ")
    }
}
