extension FuzzTarget {
    /// What the supervisor knows of a command's processes, whatever they do in whatever order.
    static let processes = FuzzTarget("processes", bytesMax: 1 << 10) {
        // A child starts, executes, is looked at, ends by itself or by a signal, and is waited for early or late.
        let path: [UInt8] = [1, 1, 4] + Array("tool".utf8)
        return [
            [0, 0, 1, 4, 0] + path + [7, 4, 0, 1, 0, 4, 0, 7, 9, 6, 0, 9],
            [1, 0, 0] + path + [0, 1, 4, 0] + path + [5, 0, 9, 9, 6, 0, 8, 0, 9],
            [1, 0, 0, 0, 1, 4, 0] + path + [1, 4, 1] + path + [4, 0, 255, 6, 0, 9, 6, 0, 9],
            [0] + [UInt8](repeating: 3, count: 24),
            [0, 3, 0, 0, 255, 3, 1, 0, 255, 3, 2, 0, 255, 3, 3, 0, 255, 3, 4, 0, 255],
            [1, 1, 2, 0, 0, 1, 2, 1, 0, 7, 2, 1, 1, 0, 9], [0, 1, 1] + path + [1, 0] + path + [9],
        ]
    } prepare: {
        { bytes in
            var input = FuzzInput(bytes)
            try ProcessScript(isInit: input.byte() & 1 == 1).run(&input)
        }
    }
}
