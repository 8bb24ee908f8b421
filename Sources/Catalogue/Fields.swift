import Domain
import Egress
import Policy

/// One mapping of a file of the catalogue. Its keys are checked against those that there are, so that a slip of the
/// pen is an error and no line that does nothing.
struct Fields {
    /// More entries of one list are refused.
    static let entriesMax = 256
    static let textBytesMax = 4096

    let file: String
    let attempt: String
    /// Where it stands in the file: `hosts`, or nil at the top.
    let path: String?
    let line: Int
    private let entries: [String: YAMLEntry]

    init(
        _ value: YAMLValue,
        known: [String],
        file: String,
        attempt: String,
        path: String? = nil
    ) throws(ConfigurationError) {
        (self.file, self.attempt, self.path, line) = (file, attempt, path, value.line)
        guard case .mapping(let entries, _) = value else {
            let problem = "\(value.kindName) stands where a mapping belongs"
            let hint = "Write `key: value` there; the keys are \(known.joined(separator: ", "))."
            throw ConfigurationError(
                .wrongType,
                file: file,
                line: value.line,
                key: path,
                problem,
                hint: hint,
                attempt: attempt
            )
        }
        self.entries = Dictionary(entries.map { ($0.key, $0) }) { first, _ in first }
        for entry in entries where !known.contains(entry.key) {
            let nearest = NearestName.find(entry.key, among: known).map { "Did you mean \($0)?" }
            let hint = nearest ?? "The keys there are: \(known.joined(separator: ", "))."
            throw error(.unknownKey, entry.key, "the key is unknown", hint)
        }
    }

    func has(_ key: String) -> Bool { entries[key].map { !$0.value.isEmpty } ?? false }

    /// One word or sentence; nil where the key is not there.
    func text(_ key: String) throws(ConfigurationError) -> String? {
        guard let entry = entries[key], !entry.value.isEmpty else { return nil }
        return try text(entry.value, key)
    }

    func required(_ key: String) throws(ConfigurationError) -> String {
        guard let text = try text(key) else {
            throw error(.badValue, nil, "there is no \(key)", "Write `\(key): …` there.")
        }
        return text
    }

    /// A list of words; empty where the key is not there.
    func texts(_ key: String) throws(ConfigurationError) -> [String] {
        var texts: [String] = []
        for item in try items(key) { texts.append(try text(item, key)) }
        return texts
    }

    /// A list of mappings; empty where the key is not there.
    func list(_ key: String, known: [String]) throws(ConfigurationError) -> [Fields] {
        var fields: [Fields] = []
        for item in try items(key) { fields.append(try below(item, key, known)) }
        return fields
    }

    /// One mapping; nil where the key is not there.
    func mapping(_ key: String, known: [String]) throws(ConfigurationError) -> Fields? {
        guard let entry = entries[key], !entry.value.isEmpty else { return nil }
        return try below(entry.value, key, known)
    }

    /// A value with its YAML form; nil where the key is not there.
    func value(_ key: String) -> YAMLValue? { entries[key]?.value }

    private func below(_ value: YAMLValue, _ key: String, _ known: [String]) throws(ConfigurationError) -> Fields {
        try Fields(value, known: known, file: file, attempt: attempt, path: place(key))
    }

    private func items(_ key: String) throws(ConfigurationError) -> [YAMLValue] {
        guard let entry = entries[key], !entry.value.isEmpty else { return [] }
        guard case .list(let items, _) = entry.value else {
            throw error(.wrongType, key, "it is \(entry.value.kindName), not a list", "Write `- …` lines there.")
        }
        guard items.count <= Self.entriesMax else {
            throw error(
                .tooLarge,
                key,
                "the list has \(items.count) entries",
                "At most \(Self.entriesMax) are read."
            )
        }
        return items
    }

    private func text(_ value: YAMLValue, _ key: String) throws(ConfigurationError) -> String {
        guard case .scalar(let text, _, _) = value, text.utf8.count <= Self.textBytesMax else {
            throw error(.wrongType, key, "it is \(value.kindName), not a word", "Write one word or sentence.")
        }
        return text
    }

    /// Runs what refuses hosts and fields, and names the place.
    func reading<Result>(
        _ key: String,
        _ code: ConfigurationError.Code = .badValue,
        _ body: () throws(EgressRefusal) -> Result
    ) throws(ConfigurationError) -> Result {
        do throws(EgressRefusal) {
            return try body()
        } catch {
            throw self.error(code, key, error.reason, error.remedy ?? "Remove it.")
        }
    }

    /// An error at a key, or at the whole mapping.
    func error(
        _ code: ConfigurationError.Code,
        _ key: String?,
        _ problem: String,
        _ hint: String
    ) -> ConfigurationError {
        ConfigurationError(
            code,
            file: file,
            line: key.flatMap { entries[$0]?.line } ?? line,
            key: key.map(place) ?? path,
            problem,
            hint: hint,
            attempt: attempt
        )
    }

    private func place(_ key: String) -> String { path.map { $0 + "." + key } ?? key }
}
