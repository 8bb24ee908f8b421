import Sandbox

extension FuzzTarget {
    /// What a command's output has changed of a terminal: the same however it is cut, and undone by what undoes it.
    static let terminal = FuzzTarget("terminal", bytesMax: 1 << 12) {
        [
            "\u{1B}[?1049h\u{1B}[?25l\u{1B}[?1000;1002;1006h\u{1B}[?2004hdrawn\u{1B}[>1u\u{1B}[1;24r\u{1B}=\u{1B}(0",
            "\u{1B}]0;title\u{07}\u{1B}]9;4;1;50\u{1B}\\\u{1B}]11;#000000\u{07}\u{1B}[4h\u{1B}[2 q\u{1B}[>4;2m\u{0E}",
            "\u{1B}[38:2::1:2:3m\u{1B}[0m\u{1B}P+q544e\u{1B}\\\u{1B}c\u{1B}[22;0t\u{1B}]2;x\u{1B}\\\u{1B}[23;0t",
            "half a sequence \u{1B}[?10", "\u{1B}]2;half a title", "\u{1B}[999999999999999999999h\u{18}\u{1B}[<99u",
        ].map { Array($0.utf8) }
    } prepare: {
        { bytes in
            let cut = bytes.first.map { Int($0) % max(bytes.count, 1) } ?? 0
            let whole = modes([bytes[...]])
            try promise(whole == modes([bytes[..<cut], bytes[cut...]]), "a cut at \(cut) changes what is seen")
            let undo = whole.undo
            try promise(undo.count < 1 << 10, "what undoes it has \(undo.count) bytes")
            let after = modes([bytes[...], undo[...]])
            try promise(after.undo.isEmpty, "what undoes it leaves something to be undone")
        }
    }

    private static func modes(_ parts: [ArraySlice<UInt8>]) -> TerminalModes {
        var modes = TerminalModes()
        for part in parts { Array(part).withUnsafeBytes { modes.take($0) } }
        return modes
    }
}
