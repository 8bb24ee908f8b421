import Egress
import NIOCore
import NIOHTTP2
import NIOSSL

/// One connection to a service that speaks HTTP/2, with a stream for each request of one connection of the sandbox.
final class HTTP2Outside: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    /// Requests over one connection; their numbers come to an end.
    private static let requestsMax = 1 << 20
    static let pushed = "the server pushed what nobody asked for"

    let address: IPAddress
    let fieldsMax: Int
    let gate: HTTP2Gate
    /// Why it broke, where that is known.
    private(set) var failure: String?
    private let channel: any Channel
    private var multiplexer: NIOHTTP2Handler.StreamMultiplexer?
    /// Called when another request may have room, or none ever again.
    private let onChange: (HTTP2Outside) -> Void
    private var streams: [ObjectIdentifier: HTTP2Server] = [:]
    /// Streams that were asked for and have not ended.
    private var open = 0
    private var requests = 0
    /// One before the server has said how many it takes, so that it need not refuse any.
    private var streamsMax = 1
    /// The server has said how many streams it takes.
    private(set) var hasHeardSettings = false
    /// It takes no more requests.
    private(set) var isLast = false

    private init(
        _ dialled: Dialled,
        fieldsMax: Int,
        backlog: HTTP2Backlog,
        onChange: @escaping (HTTP2Outside) -> Void
    ) {
        address = dialled.address.address
        channel = dialled.channel
        self.fieldsMax = fieldsMax
        self.onChange = onChange
        gate = HTTP2Gate(costMax: HTTP2Setup.outside.backlogMax, backlog: backlog, hasPreface: false)
    }

    /// - Parameter onChange: called when another request may have room, or none ever again.
    static func install(
        _ dialled: Dialled,
        headBytes: Int,
        fieldsMax: Int,
        backlog: HTTP2Backlog,
        onChange: @escaping (HTTP2Outside) -> Void
    ) throws -> HTTP2Outside {
        let channel = dialled.channel
        let outside = HTTP2Outside(dialled, fieldsMax: fieldsMax, backlog: backlog, onChange: onChange)
        let bound = NIOLoopBound(outside, eventLoop: channel.eventLoop)
        let handler = HTTP2Setup.outside.handler(on: channel.eventLoop, headBytes: headBytes) { stream in
            bound.value.fail(Self.pushed)
            return stream.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(outside.gate)
        try pipeline.addHandler(handler)
        try pipeline.addHandler(outside)
        outside.multiplexer = try handler.syncMultiplexer()
        // Windows and the gate keep what comes within bounds.
        try channel.syncOptions?.setOption(ChannelOptions.autoRead, value: true)
        channel.read()
        return outside
    }

    var hasRoom: Bool { !isLast && open < streamsMax }

    /// Begins a stream, where there is room.
    ///
    /// - Parameter answer: called with nothing where the connection went away meanwhile.
    func begin(_ answer: @escaping (HTTP2Server?) -> Void) {
        guard let multiplexer, hasRoom else { return answer(nil) }
        open += 1
        requests += 1
        if requests == Self.requestsMax { isLast = true }
        let server = HTTP2Server(self, isReused: requests > 1)
        let loop = channel.eventLoop
        let bound = NIOLoopBound((self, server, answer), eventLoop: loop)
        let made = loop.makePromise(of: (any Channel).self)
        made.futureResult.whenComplete { result in
            let (outside, server, answer) = bound.value
            guard case .success(let stream) = result, stream.isActive else { return answer(nil) }
            outside.streams[ObjectIdentifier(server)] = server
            answer(server)
        }
        multiplexer.createStreamChannel(promise: made) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.syncOptions?.setOption(ChannelOptions.autoRead, value: false)
                try stream.pipeline.syncOperations.addHandler(bound.value.1)
            }
        }
    }

    func ended(_ server: HTTP2Server) {
        streams[ObjectIdentifier(server)] = nil
        open -= 1
        if isLast, open == 0 { close() }
        onChange(self)
    }

    /// Takes no more requests; those that run come to their end.
    func finish() {
        isLast = true
        if open == 0 { close() }
    }

    func fail(_ reason: String) {
        if failure == nil { failure = reason }
        close()
    }

    func close() {
        isLast = true
        channel.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data).payload {
        case .settings(.settings(let settings)):
            if let setting = settings.last(where: { $0.parameter == .maxConcurrentStreams }) {
                streamsMax = min(setting.value, HTTP2Setup.streamsMax)
            } else if !hasHeardSettings {
                streamsMax = HTTP2Setup.streamsMax
            }
            hasHeardSettings = true
            onChange(self)
        case .goAway(let last, let code, _): goAway(UInt32(clamping: Int(last)), code)
        default: break
        }
    }

    /// The server names the last stream that it looks at. Later ones it has not touched.
    private func goAway(_ last: UInt32, _ code: HTTP2ErrorCode) {
        isLast = true
        if code != .noError, failure == nil { failure = "the server ended the connection: \(code)" }
        let unheard = streams.values.filter { $0.streamID > last }
        for server in unheard { server.becomeUnheard() }
        // Those that are on their way end right after this; those that wait here to leave never will.
        let bound = NIOLoopBound(unheard, eventLoop: channel.eventLoop)
        channel.eventLoop.execute { for server in bound.value { server.giveUp() } }
        if open == 0 { close() }
        onChange(self)
    }

    func channelInactive(context: ChannelHandlerContext) {
        isLast = true
        onChange(self)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { close() }
    }

    /// What breaks the rules of frames breaks the connection.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case let refusal as HTTPRefusal: fail(refusal.reason)
        case NIOSSLError.uncleanShutdown: close()
        case is NIOHTTP2Errors.PushInViolationOfSetting: fail(Self.pushed)
        case is any NIOHTTP2Error: fail("the server broke a rule of HTTP/2: \(error)")
        default: fail("the connection failed: \(error)")
        }
    }
}
