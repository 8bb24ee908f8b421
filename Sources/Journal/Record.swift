package import Domain
package import Redaction

/// One event: a type and its fields, in order. Text comes in as ``Redacted`` only; there is no way to put a `String`
/// in.
package struct Record: Sendable {
    package let type: RecordType
    package let fields: [(StaticString, RecordValue)]

    package init(_ type: RecordType, _ fields: KeyValuePairs<StaticString, RecordValue> = [:]) {
        self.init(type, fields: fields.map { ($0.key, $0.value) })
    }

    package init(_ type: RecordType, fields: [(StaticString, RecordValue)]) {
        self.type = type
        self.fields = fields
    }
}

/// What a field holds: closed scalars, redacted text, and lists and objects of them.
package enum RecordValue: Sendable {
    case null
    case text(Redacted)
    case integer(Int64)
    case unsigned(UInt64)
    case flag(Bool)
    case digest(Digest)
    case symbol(Symbol)
    case list([RecordValue])
    case object([(StaticString, RecordValue)])

    /// A word of a closed vocabulary.
    package static func word(_ value: some RawRepresentable<String> & CaseIterable) -> RecordValue {
        .symbol(Symbol(value))
    }

    /// A name that Bailey made: a run, a project, a grant.
    package static func id(_ identifier: some Identifier) -> RecordValue { .symbol(Symbol(identifier)) }

    package static func rule(_ rule: RuleID) -> RecordValue { .symbol(Symbol(rule)) }

    /// A word from the source code.
    package static func constant(_ text: StaticString) -> RecordValue { .symbol(Symbol(text)) }
}

/// Text that comes from a closed set: the source code, an enumeration, a generator of identifiers.
package struct Symbol: Sendable, Hashable {
    let text: String

    package init(_ constant: StaticString) { text = constant.description }

    /// One of an enumeration's cases. A type that could hold other text than its cases' stops the program here.
    package init<Word: RawRepresentable<String> & CaseIterable>(_ word: Word) {
        precondition(
            Word.allCases.contains { $0.rawValue == word.rawValue },
            "a word in a record is one of its vocabulary"
        )
        text = word.rawValue
    }

    /// An identifier. One that was made unchecked out of other text stops the program here.
    package init<ID: Identifier>(_ identifier: ID) {
        precondition(ID(identifier.rawValue) != nil, "an identifier in a record is well formed")
        text = identifier.rawValue
    }

    package init(_ rule: RuleID) { text = rule.rawValue }
}
