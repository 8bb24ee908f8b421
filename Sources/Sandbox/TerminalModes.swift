/// What a command has changed of the terminal that it writes to, read from the bytes that it wrote, and what undoes it.
///
/// A program that is killed leaves the alternate screen, mouse reports or a kitty keyboard behind, and the caller's
/// shell is not to be left with them. Only what was changed is undone, so that a program that changes nothing costs the
/// terminal not one byte. Sequences are those of ECMA-48, xterm and kitty. It keeps no text, and of a sequence only a
/// bounded beginning.
package struct TerminalModes: Equatable {
    private enum State: Equatable {
        case ground, escape, sequence, command, string
        /// An escape within a string, which ends it if a backslash follows.
        case commandEscape, stringEscape
        /// What stands between an escape and its last byte, such as the `(` of a character set.
        case intermediate(UInt8)
    }

    /// Bytes of a sequence that are kept: longer ones change nothing that is undone here.
    private static let keptBytesMax = 64
    /// No terminal keeps more levels of keyboard modes.
    private static let keyboardLevelsMax = 64

    private var state = State.ground
    private var kept: [UInt8] = []
    private var modes: [Int: Bool] = [:]
    private var isInserting = false
    private var hasKeypad = false
    private var hasMargins = false
    private var isStyled = false
    private var hasCursorStyle = false
    private var hasOtherKeys = false
    private var hasCharacterSet = false
    private var isShifted = false
    private var hasProgress = false
    private var colours: Set<Int> = []
    private var keyboard = [Keyboard(), Keyboard()]
    private(set) var hasTitle = false
    /// Set by who saved the terminal's title before the first change of it.
    var isTitleSaved = false

    /// The keyboard modes of one screen.
    private struct Keyboard: Equatable {
        var pushed = 0
        var isSet = false
    }

    /// What the caller's terminal is told before the first change of its title.
    static let saveTitle = Array("\u{1B}[22;0t".utf8)
    private static let restoreTitle = "\u{1B}[23;0t"
    private static let emptyTitle = "\u{1B}]2;\u{1B}\\"

    /// True where what is written next does not stand within a sequence.
    var isBetweenSequences: Bool { state == .ground }

    package init() {}

    package mutating func take(_ bytes: UnsafeRawBufferPointer) {
        var index = 0
        while index < bytes.count {
            if state == .ground { index = skipText(bytes, from: index) }
            guard index < bytes.count else { return }
            step(bytes[index])
            index += 1
        }
    }

    /// What brings the terminal back; empty where nothing was changed.
    package var undo: [UInt8] {
        var text = ""
        // A half-finished sequence would swallow what follows.
        if state != .ground { text += "\u{18}\u{1B}\\" }
        if modes[2026] != nil { text += "\u{1B}[?2026l" }
        if hasMargins { text += "\u{1B}7\u{1B}[r\u{1B}8" }
        if isOnAlternate { text += Self.undo(keyboard[1]) }
        for mode in Self.screens where modes[mode] != nil { text += "\u{1B}[?\(mode)l" }
        text += Self.undo(keyboard[0])
        for mode in modes.keys.sorted() where mode != 2026 && !Self.screens.contains(mode) {
            text += "\u{1B}[?\(mode)" + (Self.usual[mode] ?? false ? "h" : "l")
        }
        if isInserting { text += "\u{1B}[4l" }
        if hasKeypad { text += "\u{1B}>" }
        if hasCharacterSet { text += "\u{1B}(B\u{1B})B" }
        if isShifted { text += "\u{0F}" }
        if isStyled { text += "\u{1B}[m" }
        if hasCursorStyle { text += "\u{1B}[0 q" }
        if hasOtherKeys { text += "\u{1B}[>4m" }
        for colour in colours.sorted() { text += "\u{1B}]\(colour + 100)\u{1B}\\" }
        if hasProgress { text += "\u{1B}]9;4;0\u{1B}\\" }
        if hasTitle { text += isTitleSaved ? Self.restoreTitle : Self.emptyTitle }
        return Array(text.utf8)
    }

    private var isOnAlternate: Bool { Self.screens.contains { modes[$0] != nil } }

    private static func undo(_ keyboard: Keyboard) -> String {
        (keyboard.isSet ? "\u{1B}[=0;1u" : "") + (keyboard.pushed > 0 ? "\u{1B}[<\(keyboard.pushed)u" : "")
    }

    /// The alternate screen under its three names.
    private static let screens = [47, 1047, 1049]

    /// The private modes that are undone, and how terminals begin with them: keys and screen, cursor, mouse and its
    /// encodings, focus, paste, held-back drawing, and reports of colours and sizes.
    private static let usual: [Int: Bool] = [
        1: false, 5: false, 6: false, 7: true, 25: true, 66: false, 69: false, 47: false, 1047: false, 1049: false,
        9: false, 1000: false, 1001: false, 1002: false, 1003: false, 1004: false, 1005: false, 1006: false,
        1015: false, 1016: false, 2004: false, 2026: false, 2031: false, 2048: false,
    ]
}

extension TerminalModes {
    /// Over what is drawn; only the shift to another character set is kept of it.
    private mutating func skipText(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index < bytes.count {
            switch bytes[index] {
            case 0x1B: return index
            case 0x0E: isShifted = true
            case 0x0F: isShifted = false
            default: break
            }
            index += 1
        }
        return index
    }

    private mutating func step(_ byte: UInt8) {
        switch (state, byte) {
        // Wherever a terminal is, these end what it is in.
        case (_, 0x18), (_, 0x1A): state = .ground
        case (.command, 0x1B): state = .commandEscape
        case (.string, 0x1B): state = .stringEscape
        case (.commandEscape, UInt8(ascii: "\\")), (.command, 0x07):
            takeCommand()
            state = .ground
        case (.stringEscape, UInt8(ascii: "\\")): state = .ground
        case (_, 0x1B): state = .escape
        case (.ground, _): state = .ground
        case (.escape, _), (.commandEscape, _), (.stringEscape, _): begin(byte)
        case (.intermediate(let first), 0x30...0x7E):
            if "()*+".utf8.contains(first) { hasCharacterSet = byte != UInt8(ascii: "B") }
            state = .ground
        case (.sequence, 0x40...0x7E):
            takeSequence(byte)
            state = .ground
        case (.sequence, 0x20...0x3F), (.command, _): keep(byte)
        default: break
        }
    }

    private mutating func keep(_ byte: UInt8) { if kept.count < Self.keptBytesMax { kept.append(byte) } }

    /// The byte behind an escape.
    private mutating func begin(_ byte: UInt8) {
        kept.removeAll(keepingCapacity: true)
        switch byte {
        case UInt8(ascii: "["): state = .sequence
        case UInt8(ascii: "]"): state = .command
        case UInt8(ascii: "P"), UInt8(ascii: "X"), UInt8(ascii: "^"), UInt8(ascii: "_"): state = .string
        case 0x20...0x2F: state = .intermediate(byte)
        case 0x00...0x1F: state = .escape
        default:
            if byte == UInt8(ascii: "=") { hasKeypad = true }
            if byte == UInt8(ascii: ">") { hasKeypad = false }
            // A full reset leaves the alternate screen; asked to leave it again, a terminal moves its cursor.
            if byte == UInt8(ascii: "c") { for mode in Self.screens { modes[mode] = nil } }
            state = .ground
        }
    }

    private mutating func takeSequence(_ last: UInt8) {
        guard kept.count < Self.keptBytesMax else { return }
        let marker = kept.first.flatMap { (0x3C...0x3F).contains($0) ? $0 : nil }
        let isSpaced = kept.last == UInt8(ascii: " ")
        let digits = kept.drop { (0x3C...0x3F).contains($0) }.prefix { $0 >= 0x30 }
        let numbers = digits.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map(Self.number)
        switch (last, marker) {
        case (UInt8(ascii: "h"), UInt8(ascii: "?")): for number in numbers { set(number, true) }
        case (UInt8(ascii: "l"), UInt8(ascii: "?")): for number in numbers { set(number, false) }
        case (UInt8(ascii: "h"), nil): if numbers.contains(4) { isInserting = true }
        case (UInt8(ascii: "l"), nil): if numbers.contains(4) { isInserting = false }
        case (UInt8(ascii: "r"), nil): hasMargins = !digits.isEmpty
        case (UInt8(ascii: "m"), nil): isStyled = numbers.last != 0
        case (UInt8(ascii: "m"), UInt8(ascii: ">")): if numbers.first == 4 { hasOtherKeys = numbers.count > 1 }
        case (UInt8(ascii: "t"), nil): if numbers.first == 23 { hasTitle = false }
        case (UInt8(ascii: "q"), nil): if isSpaced { hasCursorStyle = numbers.first != 0 }
        case (UInt8(ascii: "u"), UInt8(ascii: ">")): change { $0.pushed = min($0.pushed + 1, Self.keyboardLevelsMax) }
        case (UInt8(ascii: "u"), UInt8(ascii: "<")):
            let count = max(numbers.first ?? 1, 1)
            change { $0.pushed = max($0.pushed - count, 0) }
        case (UInt8(ascii: "u"), UInt8(ascii: "=")): change { $0.isSet = numbers.first != 0 }
        default: break
        }
    }

    /// Each screen has keyboard modes of its own.
    private mutating func change(_ body: (inout Keyboard) -> Void) {
        body(&keyboard[isOnAlternate ? 1 : 0])
    }

    private mutating func set(_ mode: Int, _ isOn: Bool) {
        guard let usual = Self.usual[mode] else { return }
        // Whichever name it was entered by, leaving it by any leaves it.
        if Self.screens.contains(mode), !isOn { for screen in Self.screens { modes[screen] = nil } }
        modes[mode] = isOn == usual ? nil : isOn
    }

    /// A number that is missing is nought; one too large is none that means something here.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int {
        guard digits.count <= 6 else { return .max }
        let parts = digits.prefix { $0 != UInt8(ascii: ":") }
        return parts.isEmpty ? 0 : Int(String(decoding: parts, as: UTF8.self)) ?? .max
    }

    /// `NUMBER;TEXT`: titles, colours, progress.
    private mutating func takeCommand() {
        let digits = kept.prefix { (0x30...0x39).contains($0) }
        let rest = kept.dropFirst(digits.count)
        guard digits.count <= 3, let number = Int(String(decoding: digits, as: UTF8.self)) else { return }
        let value = rest.dropFirst()
        switch number {
        case 0, 1, 2: hasTitle = !value.isEmpty
        case 4, 10, 11, 12: if !value.isEmpty, value.last != UInt8(ascii: "?") { colours.insert(number) }
        case 104, 110, 111, 112: if value.isEmpty { colours.remove(number - 100) }
        case 9: if value.starts(with: "4;".utf8) { hasProgress = !value.starts(with: "4;0".utf8) }
        default: break
        }
    }
}
