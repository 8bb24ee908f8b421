import Domain
import Egress
import NIOCore

/// A request to a provider of models that goes nowhere.
final class RefusedRequest: ModelMeter {
    /// It is read for its answer to arrive, and clients that have more to say hear a refusal all the same.
    let bodyBytesMax = 1 << 20
    private let refusal: EgressRefusal
    private let status: Int

    init(_ refusal: EgressRefusal, status: Int) {
        self.refusal = refusal
        self.status = status
    }

    func collects(_ bytes: Int) -> Bool { true }

    func judge(_ request: inout RequestHead, _ body: ByteBuffer) -> ModelRuling {
        .refuse(refusal, .refusedModel(refusal, .chat, status: status))
    }

    func answer(_ head: inout ResponseHead) {}

    func answer(_ bytes: ByteBuffer) -> ByteBuffer { bytes }

    func end() -> ByteBuffer? { nil }

    func leaves() {}

    func abort() {}
}

/// A request that reads like one to a model and costs nothing: tokens are counted by it, for example.
final class MaskedRequest: ModelMeter {
    let bodyBytesMax = ModelDesk.bodyBytesMax
    private let desk: ModelDesk
    private var collected = 0

    init(_ desk: ModelDesk) { self.desk = desk }

    deinit { desk.giveBack(bytes: collected) }

    func collects(_ bytes: Int) -> Bool {
        guard desk.take(bytes: bytes) else { return false }
        collected += bytes
        return true
    }

    func judge(_ request: inout RequestHead, _ body: ByteBuffer) -> ModelRuling {
        guard let masked = desk.mask?.masked(body) else { return .pass(body, alarms: []) }
        return .pass(masked, alarms: [PlaceholderMask.alarm(request)])
    }

    func answer(_ head: inout ResponseHead) {}

    func answer(_ bytes: ByteBuffer) -> ByteBuffer { bytes }

    func end() -> ByteBuffer? { nil }

    func leaves() {}

    func abort() {}
}

extension PlaceholderMask {
    /// What is recorded of a placeholder that was taken out of a request.
    static func alarm(_ request: RequestHead) -> EgressRefusal {
        EgressRefusal(
            RuleID("credential-placeholder"),
            "a secret's placeholder stood in what was said to a model at \(request.target); it was masked, and the "
                + "request went on",
            remedy: nil
        )
    }
}
