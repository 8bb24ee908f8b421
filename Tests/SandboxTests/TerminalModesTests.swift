import Testing

@testable import Sandbox

@Suite("What a command leaves of the terminal's modes is undone, and nothing else")
struct TerminalModesTests {
    private static func undo(_ text: String) -> String {
        var modes = TerminalModes()
        Array(text.utf8).withUnsafeBytes { modes.take($0) }
        return String(decoding: modes.undo, as: UTF8.self)
    }

    @Test(
        "output that changes nothing, or takes back what it changed, costs no byte",
        arguments: [
            "", "text\r\n\u{1B}[31mred\u{1B}[0m\u{1B}[1mbold\u{1B}[m\u{1B}[2J\u{1B}[H\u{1B}[K", "\u{1B}[c\u{1B}[6n",
            "\u{1B}[?1049h\u{1B}[?25l\u{1B}[?1000h\u{1B}[?1000l\u{1B}[?25h\u{1B}[?1049l", "\u{1B}[>5u\u{1B}[<u",
            "\u{1B}[?1049h\u{1B}[?47l", "\u{1B}=\u{1B}>", "\u{1B}(0\u{1B}(B", "\u{0E}\u{0F}", "\u{1B}[4h\u{1B}[4l",
            "\u{1B}[2;20r\u{1B}[r", "\u{1B}[4 q\u{1B}[0 q", "\u{1B}[>4;1m\u{1B}[>4m", "\u{1B}]11;?\u{07}",
            "\u{1B}]9;4;1;20\u{07}\u{1B}]9;4;0\u{07}", "\u{1B}[22;0t\u{1B}]2;mine\u{07}\u{1B}[23;0t",
            "grüße \u{10FFFF} \u{9B}", "\u{1B}[?7l\u{1B}[?7h",
        ]
    )
    func clean(_ text: String) { #expect(Self.undo(text) == "") }

    @Test(
        "each mode that is left on has its own end",
        arguments: [
            ("\u{1B}[?1049h", "\u{1B}[?1049l"), ("\u{1B}[?25l", "\u{1B}[?25h"), ("\u{1B}[?7l", "\u{1B}[?7h"),
            ("\u{1B}[?1000;1006h", "\u{1B}[?1000l\u{1B}[?1006l"), ("\u{1B}[?2004h", "\u{1B}[?2004l"),
            ("\u{1B}[>1u\u{1B}[>1u", "\u{1B}[<2u"), ("\u{1B}[=1u", "\u{1B}[=0;1u"),
            ("\u{1B}[?1049h\u{1B}[>1u", "\u{1B}[<1u\u{1B}[?1049l"),
            ("\u{1B}[>1u\u{1B}[?1049h", "\u{1B}[?1049l\u{1B}[<1u"),
            ("\u{1B}[3;9r", "\u{1B}7\u{1B}[r\u{1B}8"), ("\u{1B}[1;31m", "\u{1B}[m"), ("\u{1B}[4h", "\u{1B}[4l"),
            ("\u{1B}=", "\u{1B}>"), ("\u{1B}(0", "\u{1B}(B\u{1B})B"), ("\u{0E}", "\u{0F}"),
            ("\u{1B}[2 q", "\u{1B}[0 q"), ("\u{1B}[>4;2m", "\u{1B}[>4m"), ("\u{1B}]12;red\u{07}", "\u{1B}]112\u{1B}\\"),
            ("\u{1B}]9;4;1;20\u{07}", "\u{1B}]9;4;0\u{1B}\\"), ("\u{1B}]0;x\u{07}", "\u{1B}]2;\u{1B}\\"),
            ("\u{1B}[?2026h", "\u{1B}[?2026l"), ("\u{1B}[?25l\u{1B}c", "\u{1B}[?25h"),
        ]
    )
    func left(_ text: String, _ end: String) {
        #expect(Self.undo(text) == end)
        #expect(Self.undo(text + end) == "")
    }

    @Test("what was cut off in the midst of a sequence swallows nothing")
    func half() {
        for half in ["\u{1B}", "\u{1B}[", "\u{1B}[?25", "\u{1B}]2;tit", "\u{1B}P1;2", "\u{1B}("] {
            #expect(Self.undo("\u{1B}[?1000h" + half) == "\u{18}\u{1B}\\\u{1B}[?1000l", "\(half.debugDescription)")
        }
    }

    @Test("a title that was saved is restored")
    func title() {
        var modes = TerminalModes()
        Array("\u{1B}]0;an agent\u{07}".utf8).withUnsafeBytes { modes.take($0) }
        modes.isTitleSaved = true
        #expect(modes.undo == Array("\u{1B}[23;0t".utf8))
    }

    @Test("a sequence that never ends takes no memory")
    func endless() {
        var modes = TerminalModes()
        let flood = Array("\u{1B}]2;".utf8) + [UInt8](repeating: 0x41, count: 1 << 20)
        flood.withUnsafeBytes { modes.take($0) }
        #expect(modes.undo.count < 16)
    }
}
