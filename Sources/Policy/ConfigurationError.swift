import Domain

/// Why a configuration file is refused: names the file, the line or key, the rule and the fix.
package struct ConfigurationError: UserFacingError, Equatable {
    package enum Code: Sendable, CaseIterable {
        case tooLarge, notText, syntax, anchor, severalDocuments, duplicateKey, unknownKey, wrongType, badValue,
            operatorOnly, widens
    }

    /// How errors in configuration files begin.
    package static let attempt = "read the configuration"

    package let code: Code
    /// The file's label.
    package let file: String
    /// Counted from 1; nil where the whole file is meant.
    package let line: Int?
    /// `limits.timeout`; nil where no key is meant.
    package let key: String?
    package let message: String
    package let hint: String?

    /// - Parameter attempt: what was done when it failed.
    package init(
        _ code: Code,
        file: String,
        line: Int? = nil,
        key: String? = nil,
        _ problem: String,
        hint: String,
        attempt: String = Self.attempt
    ) {
        self.code = code
        self.file = file
        self.line = line
        self.key = key
        self.hint = hint
        let place = ([file] + [line.map { "line \($0)" }, key].compactMap { $0 }).map { Printable.text($0) }
        message = attempt + ": " + place.joined(separator: ": ") + ": " + problem
    }
}
