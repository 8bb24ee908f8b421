import Egress
import NIOCore

/// Says which requests are metered.
protocol ModelMeters: Sendable {
    /// A meter for one request; nil for one that is not billed.
    func meter(_ request: RequestHead, _ connection: ClientConnection) -> (any ModelMeter)?
}

/// Looks at one request to a model and at its answer. Everything happens on one event loop, in the order of the
/// functions here; ``abort()`` can come at any time, and nothing comes behind it or behind ``end()``.
protocol ModelMeter: AnyObject {
    /// The whole body is collected before anything of it leaves; a longer one is refused.
    var bodyBytesMax: Int { get }

    /// More of the body came, and is to be kept.
    ///
    /// - Returns: false where there is no room for it.
    func collects(_ bytes: Int) -> Bool

    /// The request as it came. The head may be changed, but for the target; its length is set afterwards.
    func judge(_ request: inout RequestHead, _ body: ByteBuffer) -> ModelRuling

    /// It is about to leave, perhaps once more.
    func leaves()

    /// The head of the answer, as it goes on to the client.
    func answer(_ head: inout ResponseHead)

    /// Some of the answer's body, decoded and scanned.
    ///
    /// - Returns: what the client gets of it.
    func answer(_ bytes: ByteBuffer) -> ByteBuffer

    /// The answer is whole.
    ///
    /// - Returns: what the client gets before the end.
    func end() -> ByteBuffer?

    /// The client left, the answer broke off, or the request never left.
    func abort()
}

/// What becomes of a request to a model.
enum ModelRuling {
    /// It goes on with this body.
    ///
    /// - Parameter alarms: what is recorded beside it.
    case pass(ByteBuffer, alarms: [EgressRefusal])
    case refuse(EgressRefusal, OwnAnswer)
    /// Whoever is to be told of it before it leaves is behind: the ruling comes later, on the same event loop.
    case wait((@escaping (ModelRuling) -> Void) -> Void)
}
