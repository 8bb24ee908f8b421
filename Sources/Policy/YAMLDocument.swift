import Domain
import Yams

/// A YAML document as far as configuration needs it: mappings, lists and plain values, each with its line.
package indirect enum YAMLValue: Sendable {
    case mapping([YAMLEntry], line: Int)
    case list([YAMLValue], line: Int)
    case scalar(String, isQuoted: Bool, line: Int)

    package var line: Int {
        switch self {
        case .mapping(_, let line), .list(_, let line), .scalar(_, _, let line): line
        }
    }

    /// What a person would call it.
    package var kindName: String {
        switch self {
        case .mapping: "a mapping"
        case .list: "a list"
        case .scalar(_, let isQuoted, _): isQuoted ? "text" : isEmpty ? "nothing" : "a value"
        }
    }

    /// True for a key with nothing behind it.
    package var isEmpty: Bool {
        guard case .scalar(let text, false, _) = self else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }
}

/// One key of a mapping with its value, and the line where it stands.
package struct YAMLEntry: Sendable {
    package let key: String
    package let line: Int
    package let value: YAMLValue
}

/// Parses one file's bytes. The file may be an attacker's: what the parser below could choke on is refused first.
package struct YAMLDocument {
    /// Bounds on one configuration file.
    enum Limits {
        /// A file of this size holds thousands of entries.
        static let bytesMax = 64 << 10
        /// `[` and `{` together: bounds how deep the recursive parser goes.
        static let flowCollectionsMax = 256
        /// Indicators such as `- - -` at the start of one line, which nest without indentation.
        static let indicatorsPerLineMax = 4
        /// Spaces at the start of a line: bounds nesting by indentation.
        static let indentationMax = 64
        static let depthMax = 8
    }

    private let file: String
    private let attempt: String

    /// The document's value; nil for a file without one.
    ///
    /// - Parameter attempt: how an error begins.
    package static func parse(
        _ bytes: [UInt8],
        file: String,
        attempt: String = ConfigurationError.attempt
    ) throws(ConfigurationError) -> YAMLValue? {
        let document = YAMLDocument(file: file, attempt: attempt)
        let text = try document.checkedText(bytes)
        let root = try document.compose(text)
        return try root.map { (node) throws(ConfigurationError) in try document.convert(node, depth: 0) }
    }

    private func checkedText(_ bytes: [UInt8]) throws(ConfigurationError) -> String {
        guard bytes.count <= Limits.bytesMax else {
            throw error(.tooLarge, nil, "the file has \(bytes.count) bytes", "Keep it below \(Limits.bytesMax) bytes.")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw error(.notText, nil, "the file is not valid UTF-8", "Save it as UTF-8.")
        }
        var flowCollections = 0
        var number = 0
        for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            try check(Array(line.last == UInt8(ascii: "\r") ? line.dropLast() : line), number)
            flowCollections += line.count { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "{") }
            guard flowCollections <= Limits.flowCollectionsMax else {
                let limit = Limits.flowCollectionsMax
                throw error(
                    .tooLarge,
                    number,
                    "there are more than \(limit) `[` and `{`",
                    "Write lists with `-` instead."
                )
            }
        }
        return text
    }

    /// Refuses what makes one line mean more than it shows.
    private func check(_ line: [UInt8], _ number: Int) throws(ConfigurationError) {
        if line.contains(UInt8(ascii: "\t")) {
            throw error(.syntax, number, "there is a tab", "Use spaces.")
        }
        if String(decoding: line, as: UTF8.self).unicodeScalars.contains(where: Self.isForbidden) {
            throw error(.notText, number, "there is a control character", "Remove it.")
        }
        let indentation = line.prefix { $0 == UInt8(ascii: " ") }.count
        let indicators = Set("-?: ".utf8)
        let lead = line.prefix { indicators.contains($0) }.count { $0 != UInt8(ascii: " ") }
        let isMarker = line.starts(with: Array("---".utf8))
        guard indentation <= Limits.indentationMax, lead <= Limits.indicatorsPerLineMax || isMarker else {
            throw error(.tooLarge, number, "the line is nested too deeply", "No key lies that deep; see the reference.")
        }
        // An alias needs an anchor, so that refusing these refuses both, before anything multiplies.
        let before = Set(" [{,:-?".utf8)
        for index in line.indices where line[index] == UInt8(ascii: "&") {
            let follows = index == 0 || before.contains(line[index - 1])
            let names = index + 1 < line.count && line[index + 1] != UInt8(ascii: " ")
            if follows, names {
                throw error(.anchor, number, "there is an anchor (`&`)", "Write the value out at each place.")
            }
        }
    }

    /// Control characters, and line ends that only YAML knows.
    private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control || scalar.value == 0x2028 || scalar.value == 0x2029
    }

    private func compose(_ text: String) throws(ConfigurationError) -> Node? {
        do {
            // Named, because the default looks into the environment.
            let parser = try Parser(yaml: text, encoding: .utf8)
            let root = try parser.nextRoot()
            if root != nil, let second = try parser.nextRoot() {
                throw error(
                    .severalDocuments,
                    second.mark?.line,
                    "there is a second document behind `---`",
                    "Keep one document in the file."
                )
            }
            return root
        } catch let error as ConfigurationError {
            throw error
        } catch let problem as YamlError {
            throw self.error(for: problem)
        } catch {
            throw self.error(.syntax, nil, "the file is not YAML", "Check it with a YAML linter.")
        }
    }

    private func error(for problem: YamlError) -> ConfigurationError {
        let fix = "Check indentation and quotes there."
        switch problem {
        case .scanner(_, let text, let mark, _), .parser(_, let text, let mark, _), .composer(_, let text, let mark, _):
            return error(.syntax, mark.line, "the file is not YAML: \(text)", fix)
        case .duplicatedKeysInMapping(let keys, let context):
            let key = keys.first.map { Printable.text($0) } ?? ""
            return error(.duplicateKey, context.mark.line, "the key \(key) is there twice", "Keep one of them.")
        default:
            return error(.syntax, nil, "the file is not YAML", fix)
        }
    }

    private func convert(_ node: Node, depth: Int) throws(ConfigurationError) -> YAMLValue {
        let line = node.mark?.line ?? 0
        guard depth < Limits.depthMax else {
            throw error(.tooLarge, line, "the value is nested too deeply", "No key lies that deep; see the reference.")
        }
        switch node {
        case .scalar(let scalar):
            let isPlain = scalar.style == .plain || scalar.style == .any
            return .scalar(scalar.string, isQuoted: !isPlain, line: line)
        case .sequence(let sequence):
            var items: [YAMLValue] = []
            for item in sequence { items.append(try convert(item, depth: depth + 1)) }
            return .list(items, line: line)
        case .mapping(let mapping):
            var entries: [YAMLEntry] = []
            var keys: Set<String> = []
            for (key, value) in mapping {
                let keyLine = key.mark?.line ?? line
                guard case .scalar(let name) = key else {
                    throw error(.wrongType, keyLine, "a key is \(name(of: key))", "Keys are plain words.")
                }
                guard keys.insert(name.string).inserted else {
                    let text = Printable.text(name.string)
                    throw error(.duplicateKey, keyLine, "the key \(text) is there twice", "Keep one of them.")
                }
                let converted = try convert(value, depth: depth + 1)
                entries.append(YAMLEntry(key: name.string, line: keyLine, value: converted))
            }
            return .mapping(entries, line: line)
        case .alias:
            throw error(
                .anchor,
                line,
                "there is an alias (`*`)",
                "Write the value out, in quotes if it begins with `*`."
            )
        }
    }

    private func name(of node: Node) -> String {
        switch node {
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .scalar, .alias: "no word"
        }
    }

    private func error(_ code: ConfigurationError.Code, _ line: Int?, _ problem: String, _ hint: String)
        -> ConfigurationError
    {
        ConfigurationError(code, file: file, line: line, problem, hint: hint, attempt: attempt)
    }
}
