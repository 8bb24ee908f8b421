import Domain
import Egress

/// A way in which some bytes may stand in a text, as programs write them without anybody wanting to hide something.
enum Spelling: Sendable, CaseIterable {
    case plain
    /// In base 64, which depends on how many bytes stand before them.
    case base64, base64Behind1, base64Behind2
    case urlBase64, urlBase64Behind1, urlBase64Behind2
    case lowerHex, upperHex
    /// Percent-encoded: what must be, what is not for a path or query, and every byte.
    case lowerPercent, upperPercent, lowerPercentPath, upperPercentPath, lowerPercentAll, upperPercentAll
    /// Within a string of JSON: what must be escaped, the slash besides, or what HTML reads, as Go and .NET do.
    case json, jsonSlash, jsonForMarkup, jsonForMarkupUpper
    /// Within HTML and XML, by names, by numbers, and by hexadecimal numbers.
    case markup, numberMarkup, hexMarkup
    /// In UTF-16, of either order: between its first and its last byte it is the same.
    case wide

    /// Hands out the bytes one by one: what they follow from may be secret, so that nothing is kept of them here.
    func spell(_ bytes: UnsafeRawBufferPointer, _ emit: (UInt8) -> Void) {
        switch self {
        case .plain: for byte in bytes { emit(byte) }
        case .base64: Base64.core(bytes, after: 0, Base64.standard, emit)
        case .base64Behind1: Base64.core(bytes, after: 1, Base64.standard, emit)
        case .base64Behind2: Base64.core(bytes, after: 2, Base64.standard, emit)
        case .urlBase64: Base64.core(bytes, after: 0, Base64.urlSafe, emit)
        case .urlBase64Behind1: Base64.core(bytes, after: 1, Base64.urlSafe, emit)
        case .urlBase64Behind2: Base64.core(bytes, after: 2, Base64.urlSafe, emit)
        case .lowerHex: for byte in bytes { Self.hex(byte, Self.lower, emit) }
        case .upperHex: for byte in bytes { Self.hex(byte, Self.upper, emit) }
        case .lowerPercent: Self.escape(bytes, Self.lower, emit, keeps: Self.isUnreserved)
        case .upperPercent: Self.escape(bytes, Self.upper, emit, keeps: Self.isUnreserved)
        case .lowerPercentPath: Self.escape(bytes, Self.lower, emit, keeps: Self.isOfPath)
        case .upperPercentPath: Self.escape(bytes, Self.upper, emit, keeps: Self.isOfPath)
        case .lowerPercentAll: Self.escape(bytes, Self.lower, emit) { _ in false }
        case .upperPercentAll: Self.escape(bytes, Self.upper, emit) { _ in false }
        case .json, .jsonSlash:
            for byte in bytes {
                let isSlash = byte == UInt8(ascii: "/") && self == .jsonSlash
                if isSlash || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { emit(UInt8(ascii: "\\")) }
                emit(byte)
            }
        case .jsonForMarkup: Self.escapeForMarkup(bytes, Self.lower, "<>&", emit)
        case .jsonForMarkupUpper: Self.escapeForMarkup(bytes, Self.upper, "<>&\"'+`", emit)
        case .markup, .numberMarkup, .hexMarkup: for byte in bytes { mark(byte, emit) }
        case .wide:
            for (index, byte) in bytes.enumerated() {
                if index > 0 { emit(0) }
                emit(byte)
            }
        }
    }

    /// With a backslash before it, or as a number where a page could take it for markup.
    private static func escapeForMarkup(
        _ bytes: UnsafeRawBufferPointer,
        _ digits: StaticString,
        _ numbered: StaticString,
        _ emit: (UInt8) -> Void
    ) {
        let numbers = UnsafeBufferPointer(start: numbered.utf8Start, count: numbered.utf8CodeUnitCount)
        for byte in bytes {
            if numbers.contains(byte) {
                for letter in "\\u00".utf8 { emit(letter) }
                hex(byte, digits, emit)
            } else {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { emit(UInt8(ascii: "\\")) }
                emit(byte)
            }
        }
    }

    private static let lower: StaticString = "0123456789abcdef"
    private static let upper: StaticString = "0123456789ABCDEF"

    private static func hex(_ byte: UInt8, _ digits: StaticString, _ emit: (UInt8) -> Void) {
        emit(digits.utf8Start[Int(byte >> 4)])
        emit(digits.utf8Start[Int(byte & 15)])
    }

    private static func escape(
        _ bytes: UnsafeRawBufferPointer,
        _ digits: StaticString,
        _ emit: (UInt8) -> Void,
        keeps: (UInt8) -> Bool
    ) {
        for byte in bytes {
            if keeps(byte) {
                emit(byte)
            } else {
                emit(UInt8(ascii: "%"))
                hex(byte, digits, emit)
            }
        }
    }

    /// RFC 3986, section 2.3.
    private static func isUnreserved(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: "~")
    }

    /// RFC 3986, section 3.3.
    private static func isOfPath(_ byte: UInt8) -> Bool {
        isUnreserved(byte) || "!$&'()*+,;=:@/?".utf8.contains(byte)
    }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }

    /// As PHP's and Python's, Go's and Jinja's, and JavaScript's libraries write it.
    private func mark(_ byte: UInt8, _ emit: (UInt8) -> Void) {
        let entity: StaticString =
            switch (byte, self) {
            case (UInt8(ascii: "&"), _): "&amp;"
            case (UInt8(ascii: "<"), _): "&lt;"
            case (UInt8(ascii: ">"), _): "&gt;"
            case (UInt8(ascii: "\""), .numberMarkup): "&#34;"
            case (UInt8(ascii: "\""), _): "&quot;"
            case (UInt8(ascii: "'"), .hexMarkup): "&#x27;"
            case (UInt8(ascii: "'"), _): "&#39;"
            case (UInt8(ascii: "+"), .numberMarkup): "&#43;"
            case (UInt8(ascii: "="), .hexMarkup): "&#x3D;"
            case (UInt8(ascii: "`"), .hexMarkup): "&#x60;"
            default: ""
            }
        if entity.utf8CodeUnitCount == 0 { return emit(byte) }
        for index in 0..<entity.utf8CodeUnitCount { emit(entity.utf8Start[index]) }
    }
}
