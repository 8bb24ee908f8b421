/// Text that has been through a ``Redactor``: the only text that a journal, log or event stream accepts.
package struct Redacted: Sendable, Hashable {
    package let text: String

    fileprivate init(text: String) { self.text = text }

    /// A sentence from the source code, which holds no secret.
    package init(constant: StaticString) { text = constant.description }

    /// The beginning, with a mark where something is left out. Secrets are gone already: cutting reveals none.
    package func shortened(toCharacters charactersMax: Int) -> Redacted {
        text.utf8.count <= charactersMax || text.count <= charactersMax
            ? self : Redacted(text: text.prefix(charactersMax) + "…")
    }

    /// What stands in the place of every secret.
    package static let placeholder = "********"
}

/// Takes secrets out of text: exact values that the caller knows, in the spellings they travel in, and the shapes that
/// keys commonly have. It takes time linear in the text.
package struct Redactor: Sendable {
    /// Named limits of this module.
    package enum Limits {
        /// A shorter value is no secret that can be told from ordinary text.
        package static let secretBytesMin = 8
        /// Secrets of one redactor with their spellings; beyond it only exact values are looked for. Each byte takes
        /// twenty in memory, and a hostile project can bring megabytes of `.env` files.
        package static let needleBytesMax = 2 << 20
        /// Taking a secret out can in theory bring forth another; text that still changes then is hidden as a whole.
        package static let passesMax = 4
    }

    private let values: ByteMatcher

    /// Knows no exact values, only the common shapes.
    package init() { self.init(secrets: [[UInt8]]()) }

    /// Hides these exact values, whatever they look like, and the common shapes.
    package init(secrets: [[UInt8]]) { values = ByteMatcher(SecretForms.needles(of: secrets)) }

    package init(secrets: [String]) { self.init(secrets: secrets.map { Array($0.utf8) }) }

    package func redact(_ text: String) -> Redacted { redact(bytes: Array(text.utf8)) }

    /// As ``redact(_:)`` for bytes from a file or a program; what is no UTF-8 is replaced after the secrets are gone,
    /// and the outcome is looked at again: the replacement can complete what only then looks like a secret.
    package func redact(bytes: [UInt8]) -> Redacted {
        var bytes = bytes
        for _ in 0..<Limits.passesMax {
            let text = String(decoding: Self.replace(secretSpans(in: bytes), in: bytes), as: UTF8.self)
            if text.utf8.elementsEqual(bytes) { return Redacted(text: text) }
            bytes = Array(text.utf8)
        }
        return Redacted(text: Redacted.placeholder)
    }

    /// Redacts a command's arguments: as ``redact(_:)``, and the argument after an option like `--password` as a whole.
    package func redact(arguments: [String]) -> [Redacted] { redact(arguments: arguments.map { Array($0.utf8) }) }

    /// As ``redact(arguments:)`` for what a process was given, which need not be UTF-8.
    package func redact(arguments: [[UInt8]]) -> [Redacted] {
        var followsSecretOption = false
        return arguments.map { argument in
            defer { followsSecretOption = SecretNames.isSecretOption(String(decoding: argument, as: UTF8.self)) }
            let hides = followsSecretOption && !argument.isEmpty && argument.first != UInt8(ascii: "-")
            return hides ? Redacted(text: Redacted.placeholder) : redact(bytes: argument)
        }
    }

    /// The byte ranges that would be replaced: in order, neither overlapping nor touching.
    package func secretSpans(in bytes: [UInt8]) -> [Range<Int>] {
        var spans = values.matches(in: bytes)
        spans.append(contentsOf: ShapeScanner.matches(in: bytes))
        spans.append(contentsOf: AssignmentScanner.matches(in: bytes))
        return Self.merge(spans)
    }

    private static func merge(_ spans: [Range<Int>]) -> [Range<Int>] {
        var merged: [Range<Int>] = []
        for span in spans.sorted(by: { $0.lowerBound < $1.lowerBound }) where !span.isEmpty {
            if let last = merged.last, span.lowerBound <= last.upperBound {
                merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, span.upperBound)
            } else {
                merged.append(span)
            }
        }
        return merged
    }

    private static func replace(_ spans: [Range<Int>], in bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var position = 0
        for span in spans {
            result.append(contentsOf: bytes[position..<span.lowerBound])
            result.append(contentsOf: Redacted.placeholder.utf8)
            position = span.upperBound
        }
        result.append(contentsOf: bytes[position...])
        return result
    }
}

extension Redactor: CustomStringConvertible, CustomReflectable {
    /// Says nothing of the values inside.
    package var description: String { "Redactor" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
