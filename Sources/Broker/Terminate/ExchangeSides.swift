import Egress
import NIOCore
import NIOHTTP2

/// The sandbox's side of one exchange.
protocol ExchangeClient: AnyObject {
    var isWritable: Bool { get }
    /// Held until the client has taken the answer, or as much of it as makes room for another.
    var place: RequestPlace? { get set }
    func write(_ head: ResponseHead)
    func write(body: ByteBuffer)
    func writeEnd(_ trailers: HTTPFields)
    func flush()
    /// Asks for the next part of the request.
    func readMore()
    /// From here on bytes are bytes, both ways.
    func becomeRaw()
    /// A request of its own can end, and not with the whole connection.
    var hearsResets: Bool { get }
    /// The answer will never be whole.
    func abort(_ code: HTTP2ErrorCode)
}

/// The outer side of one exchange.
protocol ExchangeServer: AnyObject {
    var isWritable: Bool { get }
    /// Whether it answered somebody before, so that it may have gone away meanwhile.
    var isReused: Bool { get }
    var address: IPAddress { get }
    func begin(_ request: RequestHead, _ field: InjectedField?, for exchange: Exchange)
    func write(body: ByteBuffer)
    func writeEnd(_ trailers: HTTPFields)
    func flush()
    /// Asks for the next part of the answer.
    func readMore()
    func becomeRaw()
    /// Nothing more is wanted of it.
    func cancel(_ code: HTTP2ErrorCode)
}
