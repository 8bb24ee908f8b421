package import NIOCore
package import NIOHTTP2

/// How HTTP/2 is spoken with one side: the sandbox's, where the broker is the server, or the outer one.
package struct HTTP2Setup {
    /// Streams of one connection that are open at once.
    package static let streamsMax = 100
    /// Frames in a second that ask for an answer: PING, SETTINGS and PRIORITY. gRPC measures the way with them.
    private static let controlFramesMax = 2_000
    /// Streams that the other side resets in half a minute.
    private static let resetsMax = 1_000
    /// Streams that were reset here, and for which something may still come.
    private static let resetsKept = 1_000
    /// Frames with no bytes, one behind the other.
    private static let emptyFramesMax = 32

    let mode: NIOHTTP2Handler.ParserMode
    /// Bytes of one stream that may be on their way.
    let streamWindow: Int
    /// Bytes of all streams that may be on their way.
    let connectionWindow: Int
    /// Bytes that may wait here until somebody takes them.
    let backlogMax: Int

    static let inside = HTTP2Setup(
        mode: .server,
        streamWindow: 64 << 10,
        connectionWindow: 1 << 20,
        backlogMax: 4 << 20
    )

    /// Wider, because services are far away: what is on its way bounds the speed there.
    package static let outside = HTTP2Setup(
        mode: .client,
        streamWindow: 1 << 20,
        connectionWindow: 4 << 20,
        backlogMax: 8 << 20
    )

    /// - Parameter headBytes: of one head, decoded.
    /// - Parameter initializer: called for streams that the other side begins.
    package func handler(
        on loop: any EventLoop,
        headBytes: Int,
        initializer: @escaping NIOHTTP2Handler.StreamInitializer
    ) -> NIOHTTP2Handler {
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .maxHeaderListSize, value: headBytes),
            HTTP2Setting(parameter: .initialWindowSize, value: streamWindow),
        ]
        switch mode {
        case .server:
            connection.initialSettings.append(HTTP2Setting(parameter: .maxConcurrentStreams, value: Self.streamsMax))
        case .client:
            connection.initialSettings.append(HTTP2Setting(parameter: .enablePush, value: 0))
            // The reader of answers judges them itself, stricter and in words.
            connection.headerBlockValidation = .disabled
            connection.contentLengthValidation = .disabled
        }
        connection.targetWindowSize = connectionWindow
        connection.maximumSequentialEmptyDataFrames = Self.emptyFramesMax
        connection.maximumRecentlyResetStreams = Self.resetsKept
        connection.controlFrameRateLimit.maximumCount = Self.controlFramesMax
        connection.controlFrameRateLimit.windowLength = .seconds(1)
        var streams = NIOHTTP2Handler.StreamConfiguration()
        streams.targetWindowSize = streamWindow
        streams.outboundBufferSizeHighWatermark = 64 << 10
        streams.outboundBufferSizeLowWatermark = 32 << 10
        if mode == .client { streams.streamResetFrameRateLimit.maximumCount = Self.resetsMax }
        return NIOHTTP2Handler(
            mode: mode,
            eventLoop: loop,
            connectionConfiguration: connection,
            streamConfiguration: streams,
            inboundStreamInitializer: initializer
        )
    }
}
