import Egress
import NIOCore

/// Looks through the answer to a request that carried a secret, or that is metered, before anything of it goes on.
struct AnswerReading {
    /// Asks for an answer that is whole and not encoded: in a part of one, a secret could come in pieces.
    static func ask(_ request: inout RequestHead) {
        request.fields.removeSpellings(of: ["accept-encoding", "range", "if-range"])
        request.fields.append("Accept-Encoding", "identity")
    }

    func take(_ head: ResponseHead) throws(EgressRefusal) -> ResponseHead { head }

    func take(_ bytes: ByteBuffer) throws(EgressRefusal) -> ByteBuffer { bytes }

    /// - Returns: what was held back.
    func end(_ trailers: HTTPFields) throws(EgressRefusal) -> ByteBuffer { ByteBuffer() }
}
