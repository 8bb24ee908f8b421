import CLinux
import Files
import Glibc

/// The pipes or the terminal between the caller and the command.
///
/// The command never holds a descriptor of the caller: a file could be opened again through `/proc/self/fd` with other
/// rights, and a terminal could be read and written past the pump.
final class StreamSet {
    private let outer: StandardStreams
    private let usesTerminal: Bool
    private var input: Pump?
    private var output: Pump?
    private var error: Pump?
    private var terminal: RawTerminal?
    private var masterNumber: Int32 = -1
    private var innerEnds: [Int32]

    /// What the launcher gets as standard input, output and error.
    var inner: [Int32] { innerEnds }

    init(_ outer: StandardStreams, usesTerminal: Bool) throws(SystemError) {
        self.outer = outer
        self.usesTerminal = usesTerminal
        innerEnds = []
        if usesTerminal {
            // The launcher itself has nothing to say; the command gets the terminal that is made inside.
            for _ in 0..<3 { innerEnds.append(try SystemError.check("open", bailey_open("/dev/null", O_RDWR, 0))) }
            return
        }
        let (inputRead, inputWrite) = try Self.pipe()
        let (outputRead, outputWrite) = try Self.pipe()
        let (errorRead, errorWrite) = try Self.pipe()
        innerEnds = [inputRead, outputWrite, errorWrite]
        for end in [inputWrite, outputRead, errorRead] { _ = bailey_set_nonblocking(end) }
        input = Pump(from: outer.input, ownsSource: false, to: inputWrite, ownsDestination: true)
        output = Pump(from: outputRead, ownsSource: true, to: outer.output, ownsDestination: false)
        error = Pump(from: errorRead, ownsSource: true, to: outer.error, ownsDestination: false)
    }

    func closeInner() {
        for end in innerEnds { close(end) }
        innerEnds = []
    }

    /// The terminal inside is there: it takes the size and modes of the caller's, and the caller's goes raw.
    func attachTerminal(_ master: consuming Descriptor) {
        masterNumber = master.raw
        _ = bailey_copy_terminal_modes(outer.input, masterNumber)
        copyWindowSize()
        _ = bailey_set_nonblocking(masterNumber)
        terminal = RawTerminal(outer.input)
        let forInput = try? master.duplicate()
        output = Pump(
            from: master.release(),
            ownsSource: true,
            to: outer.output,
            ownsDestination: false,
            watchesTerminal: true
        )
        if let forInput {
            input = Pump(from: outer.input, ownsSource: false, to: forInput.release(), ownsDestination: true)
        }
    }

    func copyWindowSize() {
        if masterNumber >= 0 { _ = bailey_copy_window_size(outer.input, masterNumber) }
    }

    /// Descriptors in ``fillWaits(_:from:holdsOutput:)``.
    static let waitsCount = 6

    /// What to wait for, always in the same order, so that ``handle(_:)`` knows it.
    func fillWaits(_ waits: inout [pollfd], from first: Int, holdsOutput: Bool) {
        func wait(_ row: Int, _ descriptor: Int32?, _ events: Int32) {
            waits[first + row] = pollfd(fd: descriptor ?? -1, events: Int16(events), revents: 0)
        }
        wait(0, input?.wantsToRead, POLLIN)
        wait(1, input?.wantsToWrite, POLLOUT)
        wait(2, holdsOutput ? nil : output?.wantsToRead, POLLIN)
        wait(3, output?.wantsToWrite, POLLOUT)
        wait(4, holdsOutput ? nil : error?.wantsToRead, POLLIN)
        wait(5, error?.wantsToWrite, POLLOUT)
    }

    func handle(_ waits: ArraySlice<pollfd>) {
        func isReady(_ row: Int) -> Bool { waits[waits.startIndex + row].revents != 0 }
        if isReady(1) { input?.drain() }
        if isReady(0) { input?.fill() }
        if isReady(3) { output?.drain() }
        if isReady(2) { output?.fill() }
        if isReady(5) { error?.drain() }
        if isReady(4) { error?.fill() }
    }

    /// The sandbox is gone: nobody reads any more, and a terminal has said its last.
    func endInput() { input?.abandon() }

    /// The caller's terminal was taken away: its window was closed, or its connection broke.
    var terminalIsGone: Bool { usesTerminal && input?.sourceHungUp ?? false }

    /// We were stopped and go on: whoever had the terminal meanwhile had it in another mode and size.
    func resumeTerminal() {
        terminal?.resume()
        copyWindowSize()
    }

    /// Gives the caller's terminal back as it was, also where the command was killed in the midst of its drawing.
    func releaseTerminal() {
        if let undo = output?.modes?.undo { terminal?.put(undo, to: outer.output) }
        if output?.mayHaveAsked ?? false { terminal?.awaitAnswers(writingTo: outer.output) }
        terminal = nil
    }

    func abandonOutput() {
        output?.abandon()
        error?.abandon()
    }

    var outputIsFinished: Bool { (output?.isFinished ?? true) && (error?.isFinished ?? true) }

    var outputBytes: (UInt64, UInt64) { (output?.moved ?? 0, error?.moved ?? 0) }

    private static func pipe() throws(SystemError) -> (Int32, Int32) {
        var ends: [Int32] = [-1, -1]
        _ = try SystemError.check("pipe", bailey_pipe(&ends))
        return (ends[0], ends[1])
    }
}
