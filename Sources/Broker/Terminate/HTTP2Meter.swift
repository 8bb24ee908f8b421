package import NIOCore
import NIOHTTP2

/// Reads nothing but the heads of a connection's HTTP/2 frames, and knows from them how much of bodies has come that
/// nobody took yet, and how many frames come that carry no part of a message.
///
/// Windows bound the bytes of each stream. They do not bound all streams together, nor what a body costs that comes one
/// byte at a time.
package struct HTTP2Meter {
    /// Frames in a second that carry nothing: what neither begins a message nor has bytes of a body.
    static let idleFramesPerSecond = 20_000
    /// What a frame costs that waits, beside its bytes.
    static let frameCost = 256

    private static let headBytes = 9
    private static let prefaceBytes = 24

    private struct Backlog {
        var bytes = 0
        /// Frames since there was nothing.
        var frames = 0

        var cost: Int { bytes + frames * HTTP2Meter.frameCost }
    }

    /// Bytes that are no head: the payload of a frame, or what a client begins with.
    private var skipped: Int
    private var head: [UInt8] = []
    /// The stream whose padding's length comes next, and the length of the payload behind it.
    private var padded: (stream: UInt32, length: Int)?
    private var streams: [UInt32: Backlog] = [:]
    private var idleFrames = 0
    private var secondBegan = NIODeadline.uptimeNanoseconds(0)
    /// What waits, in bytes.
    package private(set) var cost = 0

    /// - Parameter hasPreface: the bytes are a client's.
    package init(hasPreface: Bool) {
        skipped = hasPreface ? Self.prefaceBytes : 0
        head.reserveCapacity(Self.headBytes)
    }

    /// From now on what comes for a stream counts.
    package mutating func open(_ stream: UInt32) {
        if streams[stream] == nil { streams[stream] = Backlog() }
    }

    /// Some of a stream's body was taken.
    package mutating func take(_ stream: UInt32, bytes: Int) {
        change(stream) { backlog in
            backlog.bytes = max(0, backlog.bytes - bytes)
            if backlog.bytes == 0 { backlog.frames = 0 }
        }
    }

    /// Nobody takes anything of it any more.
    package mutating func close(_ stream: UInt32) {
        cost -= streams.removeValue(forKey: stream)?.cost ?? 0
    }

    /// - Throws: where too many frames come that carry nothing.
    package mutating func scan(_ bytes: ByteBuffer, now: NIODeadline) throws(HTTPRefusal) {
        var bytes = bytes
        while bytes.readableBytes > 0 {
            if skipped > 0 {
                let count = min(skipped, bytes.readableBytes)
                bytes.moveReaderIndex(forwardBy: count)
                skipped -= count
            } else if let (stream, length) = padded {
                padded = nil
                let padding = Int(bytes.readInteger(as: UInt8.self) ?? 0)
                skipped = length - 1
                try body(stream, max(0, length - 1 - padding), now)
            } else {
                let count = min(Self.headBytes - head.count, bytes.readableBytes)
                head.append(contentsOf: bytes.readBytes(length: count) ?? [])
                guard head.count == Self.headBytes else { return }
                try frame(now)
                head.removeAll(keepingCapacity: true)
            }
        }
    }

    private mutating func frame(_ now: NIODeadline) throws(HTTPRefusal) {
        let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
        let stream = head[5...].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        skipped = length
        switch head[3] {
        case 0 where head[4] & 0x8 != 0 && length > 0:
            skipped = 0
            padded = (stream, length)
        case 0: try body(stream, length, now)
        // Heads and what goes on with them: each costs their sender a stream, or is bounded where they are read.
        case 1, 9: break
        default: try idle(now)
        }
    }

    private mutating func body(_ stream: UInt32, _ bytes: Int, _ now: NIODeadline) throws(HTTPRefusal) {
        guard bytes > 0 else { return try idle(now) }
        change(stream) { backlog in
            backlog.bytes += bytes
            backlog.frames += 1
        }
    }

    private mutating func idle(_ now: NIODeadline) throws(HTTPRefusal) {
        if now - secondBegan >= .seconds(1) {
            secondBegan = now
            idleFrames = 0
        }
        idleFrames += 1
        guard idleFrames <= Self.idleFramesPerSecond else {
            throw HTTPRefusal(502, "limit-http2-frames", "more than \(Self.idleFramesPerSecond) empty frames a second")
        }
    }

    private mutating func change(_ stream: UInt32, _ body: (inout Backlog) -> Void) {
        guard var backlog = streams[stream] else { return }
        let before = backlog.cost
        body(&backlog)
        cost += backlog.cost - before
        streams[stream] = backlog
    }
}

/// Stops reading from a connection while too much waits of what was read, and ends one that is flooded.
final class HTTP2Gate: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How soon it is looked again whether others have made room.
    private static let againTime = TimeAmount.milliseconds(50)

    private let costMax: Int
    private let backlog: HTTP2Backlog
    private var meter: HTTP2Meter
    /// What is counted of it with all others.
    private var told = 0
    private var context: ChannelHandlerContext?
    private var isReadHeld = false
    private var isOver = false
    private var timer: Scheduled<Void>?

    /// - Parameters:
    ///   - costMax: bytes that may wait, all streams together.
    ///   - backlog: what waits of all connections.
    init(costMax: Int, backlog: HTTP2Backlog, hasPreface: Bool) {
        self.costMax = costMax
        self.backlog = backlog
        meter = HTTP2Meter(hasPreface: hasPreface)
    }

    deinit { backlog.add(-told) }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if backlog.isFull { readLess() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        timer?.cancel()
        backlog.add(-told)
        told = 0
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        let bytes = unwrapInboundIn(data)
        do {
            try meter.scan(bytes, now: .now())
            tell()
            context.fireChannelRead(data)
        } catch {
            isOver = true
            context.fireErrorCaught(error)
        }
    }

    func read(context: ChannelHandlerContext) {
        guard isFull else { return context.read() }
        isReadHeld = true
        lookAgain()
    }

    private var isFull: Bool { meter.cost > costMax || meter.cost > HTTP2Backlog.freeBytes && backlog.isFull }

    private func tell() {
        guard context != nil, meter.cost != told else { return }
        backlog.add(meter.cost - told)
        told = meter.cost
    }

    /// What comes at once is not asked about.
    private func readLess() {
        try? context?.channel.syncOptions?.setOption(ChannelOptions.maxMessagesPerRead, value: 1)
    }

    /// Others make room without telling.
    private func lookAgain() {
        guard timer == nil, meter.cost <= costMax, let loop = context?.eventLoop else { return }
        readLess()
        timer = loop.assumeIsolated().scheduleTask(in: Self.againTime) { [weak self] in
            self?.timer = nil
            self?.readOn()
        }
    }

    /// 0 where a stream has none yet.
    static func id(of stream: any Channel) -> UInt32 {
        let id = try? stream.syncOptions?.getOption(HTTP2StreamChannelOptions.streamID)
        return id.map { UInt32(clamping: Int($0)) } ?? 0
    }

    func open(_ stream: UInt32) { meter.open(stream) }

    func take(_ stream: UInt32, bytes: Int) {
        meter.take(stream, bytes: bytes)
        readOn()
    }

    func close(_ stream: UInt32) {
        meter.close(stream)
        readOn()
    }

    private func readOn() {
        tell()
        guard isReadHeld else { return }
        guard !isFull else { return lookAgain() }
        isReadHeld = false
        context?.read()
    }
}
