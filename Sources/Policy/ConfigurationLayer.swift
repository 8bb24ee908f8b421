import Domain

/// What one configuration file says.
struct ConfigurationLayer {
    /// Whose file it is.
    enum Writer { case `operator`, project }

    private(set) var engines: [EngineName]?
    private(set) var readable: [String]?
    private(set) var limits = LimitSettings()
    private(set) var network = NetworkSettings()
    private(set) var secrets: Secrets?
    let fileLabel: String
    private(set) var models = ModelSettings()

    init(_ source: ConfigurationSource, writer: Writer) throws(ConfigurationError) {
        fileLabel = source.label
        guard let root = try YAMLDocument.parse(source.bytes, file: fileLabel), !root.isEmpty else { return }
        for section in try entries(of: root, key: nil) {
            try check(section, path: section.key, known: ConfigurationKey.sections, writer: writer)
            if section.key == "secrets" {
                secrets = try readSecrets(section.value)
                continue
            }
            if section.value.isEmpty { continue }
            for entry in try entries(of: section.value, key: section.key) {
                let path = section.key + "." + entry.key
                try check(entry, path: path, known: ConfigurationKey.names(in: section.key), writer: writer)
                try read(entry, path: path)
            }
        }
    }

    func entries(of value: YAMLValue, key: String?) throws(ConfigurationError) -> [YAMLEntry] {
        guard case .mapping(let entries, _) = value else {
            let problem = "\(value.kindName) stands where a mapping belongs"
            throw error(.wrongType, value.line, key, problem, "Write `key: value` lines there.")
        }
        return entries
    }

    /// Refuses keys that nobody knows, or that are not the project's to set.
    private func check(_ entry: YAMLEntry, path: String, known: [String], writer: Writer) throws(ConfigurationError) {
        try checkKnown(entry, path, among: known)
        if writer == .project, ConfigurationKey.operatorOnly.contains(path) {
            throw error(
                .operatorOnly,
                entry.line,
                path,
                "only the operator may set it; a project can only narrow",
                "Remove it here; the operator sets it in /etc/bailey/config.yml or their own config.yml."
            )
        }
    }

    private mutating func read(_ entry: YAMLEntry, path: String) throws(ConfigurationError) {
        switch path {
        case "sandbox.engines": engines = try readEngines(entry.value, path)
        case "sandbox.readable": readable = try readPaths(entry.value, path)
        case "limits.timeout": limits.timeoutSeconds = try duration(entry, path).seconds
        case "limits.cpu_time": limits.cpuSeconds = try duration(entry, path).secondsRoundedUp
        case "limits.memory": limits.memoryBytes = try size(entry, path)
        case "limits.output": limits.outputBytes = try size(entry, path)
        case "limits.workspace_bytes": limits.workspaceBytes = try size(entry, path)
        case "limits.workspace_files": limits.workspaceFiles = try count(entry, path)
        case "limits.processes": limits.processes = try count(entry, path)
        case "limits.open_files": limits.openFiles = try count(entry, path)
        case "limits.tokens": limits.tokens = try count(entry, path)
        case "limits.money": limits.microdollars = try money(entry, path)
        case "models.allow": models.allow = try readModels(entry.value, path)
        case "models.prices": models.prices = try readPrices(entry.value, path)
        case "models.extras": models.extras = try readExtras(entry.value, path)
        case "network.allow": network.allow = try readAllow(entry.value, path)
        case "network.forges": network.forges = try readForges(entry.value, path)
        case "network.nat64": network.nat64 = try readNAT64(entry.value, path)
        case "network.upstreams": network.upstreams = try readUpstreams(entry.value, path)
        default: preconditionFailure("a known key is read")
        }
    }

    private func readEngines(_ value: YAMLValue, _ path: String) throws(ConfigurationError) -> [EngineName] {
        var engines: [EngineName] = []
        for (text, line) in try texts(value, path) {
            let names = EngineName.allCases.map(\.rawValue)
            guard let engine = EngineName(rawValue: text) else {
                let nearest = NearestName.find(text, among: names).map { "Did you mean \($0)?" }
                let hint = nearest ?? "The engines are: \(names.joined(separator: ", "))."
                throw error(.badValue, line, path, "there is no engine \(quoted(text))", hint)
            }
            guard !engines.contains(engine) else {
                throw error(.badValue, line, path, "\(text) is listed twice", "Keep one of them.")
            }
            engines.append(engine)
        }
        guard !engines.isEmpty else {
            throw error(.badValue, value.line, path, "the list is empty", "List at least native, or remove the key.")
        }
        return engines
    }

    private func readPaths(_ value: YAMLValue, _ path: String) throws(ConfigurationError) -> [String] {
        var paths: [String] = []
        for (text, line) in try texts(value, path) {
            if let problem = ReadablePath.problem(text) {
                throw error(.badValue, line, path, "\(quoted(text)) \(problem)", ReadablePath.hint)
            }
            paths.append(text)
        }
        return paths
    }

    /// Refuses a key that nobody knows.
    ///
    /// - Parameter path: the key with those around it.
    func checkKnown(_ entry: YAMLEntry, _ path: String, among known: [String]) throws(ConfigurationError) {
        guard !known.contains(entry.key) else { return }
        let nearest = NearestName.find(entry.key, among: known).map { "Did you mean \($0)?" }
        let hint = nearest ?? "The keys there are: \(known.joined(separator: ", "))."
        throw error(.unknownKey, entry.line, path, "the key is unknown", hint)
    }

    /// The entries of a list, of which only so many are read.
    func items(_ value: YAMLValue, _ path: String, hint: String) throws(ConfigurationError) -> [YAMLValue] {
        guard case .list(let items, _) = value else {
            throw error(.wrongType, value.line, path, "it is \(value.kindName), not a list", hint)
        }
        let most = ConfigurationKey.listEntriesMax
        guard items.count <= most else {
            throw error(.tooLarge, value.line, path, "the list has \(items.count) entries", "At most \(most) are read.")
        }
        return items
    }

    func texts(_ value: YAMLValue, _ path: String) throws(ConfigurationError) -> [(String, Int)] {
        var texts: [(String, Int)] = []
        for item in try items(value, path, hint: "Write it as [a, b].") {
            guard case .scalar(let text, _, let line) = item, !item.isEmpty else {
                throw error(
                    .wrongType,
                    item.line,
                    path,
                    "an entry is \(item.kindName), not a word",
                    "Write it as [a, b]."
                )
            }
            texts.append((text, line))
        }
        return texts
    }

    private func duration(_ entry: YAMLEntry, _ path: String) throws(ConfigurationError) -> DurationText {
        let text = try scalar(entry, path, accepted: DurationText.accepted)
        if let duration = DurationText(text) { return duration }
        throw error(.badValue, entry.line, path, "\(quoted(text)) is not a duration", "Write \(DurationText.accepted).")
    }

    private func size(_ entry: YAMLEntry, _ path: String) throws(ConfigurationError) -> UInt64 {
        let text = try scalar(entry, path, accepted: ByteSize.accepted)
        if let size = ByteSize(text) { return size.bytes }
        throw error(.badValue, entry.line, path, "\(quoted(text)) is not a size", "Write \(ByteSize.accepted).")
    }

    func count(_ entry: YAMLEntry, _ path: String) throws(ConfigurationError) -> UInt64 {
        let text = try scalar(entry, path, accepted: CountText.accepted)
        if let count = CountText(text) { return count.value }
        throw error(.badValue, entry.line, path, "\(quoted(text)) is not a count", "Write \(CountText.accepted).")
    }

    func scalar(_ entry: YAMLEntry, _ path: String, accepted: String) throws(ConfigurationError) -> String {
        guard case .scalar(let text, _, _) = entry.value, !entry.value.isEmpty else {
            let problem = "it is \(entry.value.kindName)"
            throw error(.wrongType, entry.line, path, problem, "Write \(accepted).")
        }
        return text
    }

    /// Where the file lies, with a slash at its end; empty for a file that is named without a place.
    var directory: String {
        String(fileLabel[..<(fileLabel.lastIndex(of: "/").map { fileLabel.index(after: $0) } ?? fileLabel.startIndex)])
    }

    func quoted(_ text: String) -> String { "\"" + Printable.text(String(text.prefix(80))) + "\"" }

    func error(
        _ code: ConfigurationError.Code,
        _ line: Int,
        _ key: String?,
        _ problem: String,
        _ hint: String
    ) -> ConfigurationError {
        ConfigurationError(code, file: fileLabel, line: line, key: key, problem, hint: hint)
    }
}
