import Domain

/// Writes settings as TOML 1.0: values first, then tables.
enum TOMLWriter {
    static func write(_ members: [(String, JSONValue)]) -> String {
        var text = ""
        write(members, [], to: &text)
        return text
    }

    private static func write(_ members: [(String, JSONValue)], _ table: [String], to text: inout String) {
        let values = members.compactMap { member in value(member.1).map { (member.0, $0) } }
        if !table.isEmpty, !values.isEmpty { text += "\n[\(table.map(key).joined(separator: "."))]\n" }
        for (name, value) in values { text += "\(key(name)) = \(value)\n" }
        for (name, member) in members {
            if case .object(let below) = member { write(below, table + [name], to: &text) }
        }
    }

    private static func key(_ name: String) -> String {
        let isBare =
            !name.isEmpty && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
        return isBare ? name : quoted(name)
    }

    /// Nil for what is a table, or nothing.
    private static func value(_ value: JSONValue) -> String? {
        switch value {
        case .null, .object: nil
        case .bool(let flag): flag ? "true" : "false"
        case .integer(let number): String(number)
        case .unsigned(let number): String(number)
        case .number(let number): "\(number)"
        case .string(let text): quoted(text)
        case .array(let elements): "[" + elements.compactMap(Self.value).joined(separator: ", ") + "]"
        }
    }

    /// A basic string: what could end it or steer a terminal is escaped.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
