package import Domain
package import Egress
import Policy

/// Files of agents' settings, read as far as Bailey understands them and written from scratch. What is not understood
/// is left out, never passed on as it is.
package enum SettingsText {
    /// - Returns: nil for what is no such file.
    package static func read(_ bytes: [UInt8], _ format: SettingsFormat) -> JSONValue? {
        switch format {
        case .json: try? JSONParser.parse(bytes)
        case .toml: TOMLReader.read(bytes)
        case .yaml: (try? YAMLDocument.parse(bytes, file: "")).flatMap { $0.map(value) }
        }
    }

    package static func write(_ members: [(String, JSONValue)], _ format: SettingsFormat) -> String {
        switch format {
        case .json: String(decoding: JSONValue.object(members).bytes(), as: UTF8.self) + "\n"
        case .toml: TOMLWriter.write(members)
        // Every line of JSON is YAML.
        case .yaml: members.map { text(.string($0.0)) + ": " + text($0.1) + "\n" }.joined()
        }
    }

    private static func text(_ value: JSONValue) -> String { String(decoding: value.bytes(), as: UTF8.self) }

    private static func value(_ yaml: YAMLValue) -> JSONValue {
        switch yaml {
        case .scalar(let text, true, _): .string(text)
        case .scalar(let text, false, _): yaml.isEmpty ? .null : YAMLScalar.value(text)
        case .list(let items, _): .array(items.map(value))
        case .mapping(let entries, _): .object(entries.map { ($0.key, value($0.value)) })
        }
    }
}

extension Recipe.Settings {
    /// Values longer than this are no settings.
    private static let textBytesMax = 4096
    private static let listMax = 1024

    /// The file as the agent finds it: the listed keys of the user's own, and what is set.
    ///
    /// - Parameters:
    ///   - own: the user's own file; nil where there is none.
    ///   - words: what stands for words in braces; what is set with one that is not there is left out.
    ///   - rules: how the run may use models.
    ///   - isSecret: judges each text of the user's.
    /// - Returns: nil where there is nothing to write; and the keys that were left out because they hold a secret.
    package func rewritten(
        _ own: [UInt8]?,
        words: [RecipeWord: String],
        rules: ModelRules = ModelRules(),
        isSecret: (String) -> Bool
    ) -> (content: String?, dropped: [String]) {
        var tree = SettingsTree()
        var dropped: [String] = []
        let document = own.flatMap { SettingsText.read($0, format) }
        for key in keys {
            guard let value = document.flatMap({ Self.find(key, in: $0) }), Self.isPlain(value) else { continue }
            guard !Self.texts(value).contains(where: isSecret) else {
                dropped.append(key.joined(separator: "."))
                continue
            }
            tree.set(key[...], value)
        }
        for setting in set {
            if let extra = setting.withoutExtra, !rules.isBudget || rules.extra(extra) != nil { continue }
            let key = setting.key.compactMap { Self.filled($0, words) }
            guard key.count == setting.key.count, let value = Self.filled(setting.value, words) else { continue }
            tree.set(key[...], value)
        }
        return (tree.members.isEmpty ? nil : SettingsText.write(tree.members, format), dropped)
    }

    private static func find(_ key: [String], in document: JSONValue) -> JSONValue? {
        var value: JSONValue? = document
        for part in key { value = value?[part] }
        return value
    }

    /// One value or a list of such: what holds more could hold anything.
    private static func isPlain(_ value: JSONValue) -> Bool {
        switch value {
        case .null, .object: false
        case .string(let text): text.utf8.count <= textBytesMax
        case .array(let elements):
            elements.count <= listMax
                && elements.allSatisfy { if case .array = $0 { false } else { isPlain($0) } }
        default: true
        }
    }

    private static func texts(_ value: JSONValue) -> [String] {
        switch value {
        case .string(let text): [text]
        case .array(let elements): elements.flatMap(texts)
        default: []
        }
    }

    private static func filled(_ value: JSONValue, _ words: [RecipeWord: String]) -> JSONValue? {
        switch value {
        case .string(let text): return filled(text, words).map { .string($0) }
        case .array(let elements):
            let whole = elements.compactMap { filled($0, words) }
            return whole.count == elements.count ? .array(whole) : nil
        default: return value
        }
    }

    private static func filled(_ text: String, _ words: [RecipeWord: String]) -> String? {
        RecipeWord.filled(text, words)
    }
}

extension RecipeWord {
    /// The text with its words filled in; nil where one is not there.
    package static func filled(_ text: String, _ words: [RecipeWord: String]) -> String? {
        guard text.contains("{") else { return text }
        var text = text
        for word in allCases where text.contains(word.rawValue) {
            guard let value = words[word] else { return nil }
            text = text.replacing(word.rawValue, with: value)
        }
        return text
    }
}

/// Settings in the order in which they were set.
struct SettingsTree {
    private(set) var members: [(String, JSONValue)] = []

    mutating func set(_ key: ArraySlice<String>, _ value: JSONValue) { Self.set(key, value, in: &members) }

    private static func set(_ key: ArraySlice<String>, _ value: JSONValue, in members: inout [(String, JSONValue)]) {
        guard let name = key.first else { return }
        let place = members.firstIndex { $0.0 == name }
        var new = value
        if key.count > 1 {
            var below: [(String, JSONValue)] = []
            if let place, case .object(let old) = members[place].1 { below = old }
            set(key.dropFirst(), value, in: &below)
            new = .object(below)
        }
        if let place { members[place].1 = new } else { members.append((name, new)) }
    }
}
