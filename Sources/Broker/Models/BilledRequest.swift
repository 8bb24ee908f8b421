import BrokerLink
import Domain
import Egress
import NIOCore

/// One request to a model: judged before it leaves, and metered while its answer passes.
final class BilledRequest: ModelMeter {
    private enum Phase {
        case unread
        /// An amount is set aside for it, and whether somebody was told of it is not known.
        case announced(withdraw: () -> Void)
        /// An amount is set aside for it; whether it left is told.
        case reserved(UInt64, ModelReserve, hasLeft: Bool)
        case settled
    }

    let bodyBytesMax = ModelDesk.bodyBytesMax
    private let desk: ModelDesk
    private let provider: ModelProvider
    private let dialect: ModelDialect
    private var phase = Phase.unread
    private var reader: UsageReader
    private var filter: UsageFrameFilter?
    private var status = 0
    private var asksForStream = false
    /// The service finishes the answer even if the client leaves.
    private var finishesAlone: Bool
    private let path: String
    private var answerIsStream = false
    private var leftAt: NIODeadline?
    private var collected = 0

    private let loop: any EventLoop
    /// Who waits for the ruling.
    private var hear: ((ModelRuling) -> Void)?

    init(
        _ desk: ModelDesk,
        _ provider: ModelProvider,
        _ dialect: ModelDialect,
        path: String,
        on loop: any EventLoop
    ) {
        finishesAlone = provider.finishesAlone
        self.path = path
        self.loop = loop
        self.desk = desk
        self.provider = provider
        self.dialect = dialect
        reader = UsageReader(dialect, isStream: false)
    }

    deinit {
        settle()
        desk.giveBack(bytes: collected)
    }

    func collects(_ bytes: Int) -> Bool {
        guard desk.take(bytes: bytes) else { return false }
        collected += bytes
        return true
    }

    func judge(_ request: inout RequestHead, _ body: ByteBuffer) -> ModelRuling {
        do throws(Refusal) {
            try checkCoding(request)
            var alarms: [EgressRefusal] = []
            var body = body
            if let masked = desk.mask?.masked(body) {
                body = masked
                alarms = [PlaceholderMask.alarm(request)]
            }
            let read = try read(body)
            do throws(Refusal) { try check(read) } catch {
                desk.refused(provider, read.model)
                throw error
            }
            asksForStream = read.isStream
            if read.isDetached { finishesAlone = true }
            if read.isStream, dialect == .chat, !read.asksForUsage { filter = UsageFrameFilter() }
            return try reserve(read, .pass(read.sent(body), alarms: alarms))
        } catch {
            return refuse(error)
        }
    }

    private func refuse(_ refusal: Refusal) -> ModelRuling {
        .refuse(refusal.refusal, .refusedModel(refusal.refusal, dialect, status: refusal.status))
    }

    func leaves() {
        if case .reserved(let number, let reserve, _) = phase {
            phase = .reserved(number, reserve, hasLeft: true)
            leftAt = leftAt ?? .now()
        }
    }

    func answer(_ head: inout ResponseHead) {
        status = head.status
        let type = head.fields.values("content-type").first?.lowercased() ?? ""
        answerIsStream = type.hasPrefix("text/event-stream")
        reader = UsageReader(dialect, isStream: answerIsStream)
        guard answerIsStream else { return filter = nil }
        guard filter != nil, case .bytes = head.body else { return }
        // It becomes shorter than it says.
        head.fields.remove(["content-length"])
        head.body = .open
    }

    func answer(_ bytes: ByteBuffer) -> ByteBuffer {
        reader.take(bytes)
        return filter?.take(bytes) ?? bytes
    }

    func end() -> ByteBuffer? {
        settle()
        return filter?.end()
    }

    func abort() { settle() }

    /// Once, however it ends.
    private func settle() {
        if case .announced(let withdraw) = phase {
            phase = .settled
            hear = nil
            return withdraw()
        }
        guard case .reserved(let number, let reserve, let hasLeft) = phase else { return }
        phase = .settled
        let usage = reader.usage
        let isBilled = hasLeft && (status == 0 || (200..<300).contains(status) || usage.isFinal)
        guard isBilled else { return desk.settle(number, reserve, (ModelUse.Tokens(), 0, .free)) }
        desk.settle(number, reserve, reserve.settled(usage, progress))
    }

    private var progress: ModelReserve.Progress {
        var progress = ModelReserve.Progress()
        progress.bytes = reader.bytes
        progress.isStream = !finishesAlone && (status == 0 ? asksForStream : answerIsStream)
        progress.seconds = leftAt.map { Double((NIODeadline.now() - $0).nanoseconds) / 1e9 } ?? 0
        return progress
    }
}

/// Why it does not leave.
extension BilledRequest {
    private struct Refusal: Error {
        let refusal: EgressRefusal
        let status: Int

        init(_ refusal: EgressRefusal, status: Int = 400) {
            self.refusal = refusal
            self.status = status
        }
    }

    private func checkCoding(_ request: RequestHead) throws(Refusal) {
        let codings = request.fields.members("content-encoding")
        guard codings.allSatisfy({ $0 == "identity" }) else {
            throw Refusal(
                EgressRefusal(
                    RuleID("model-body"),
                    "the request's body is compressed (\(EgressRefusal.quoted(codings.joined(separator: ", ").utf8))), "
                        + "and what it asks for cannot be read",
                    remedy: "Have the client send it as it is."
                )
            )
        }
    }

    private func read(_ body: ByteBuffer) throws(Refusal) -> ModelRequest {
        let names = dialect.limitNames.filter { provider.limitNames?.contains($0) ?? true }
        // What compacts a conversation takes no limit.
        let isStated = desk.rules.isBudget && !path.hasSuffix("/compact")
        let limits = ModelRequest.Limits(names, stated: isStated ? ModelReserve.unstatedOutputTokens : nil)
        do throws(ModelRequest.Fault) { return try ModelRequest(body, dialect, limits) } catch {
            throw Refusal(
                EgressRefusal(
                    RuleID("model-body"),
                    "the request to a model cannot be read: \(error.reason)",
                    remedy: "Send the JSON object that the service's documentation describes."
                )
            )
        }
    }

    private func check(_ read: ModelRequest) throws(Refusal) {
        let rules = desk.rules
        guard rules.allows(read.model) else {
            let list = rules.models?.joined(separator: ", ") ?? ""
            throw Refusal(
                EgressRefusal(
                    RuleID("model-unlisted"),
                    "the model \(EgressRefusal.quoted(read.model.utf8)) is not among those that may be used: "
                        + (list.isEmpty ? "there is none" : String(list.prefix(Self.listBytesMax))),
                    remedy: "Use one of these, or have an operator add it to models.allow."
                )
            )
        }
        if let member = read.elsewhere, rules.models != nil || rules.microdollarsMax != nil {
            throw Refusal(
                EgressRefusal(
                    RuleID("model-elsewhere"),
                    "the request's member \(member) could have the service use another model or bill another price",
                    remedy: "Leave \(member) out."
                )
            )
        }
        if let extra = refusedExtra(read) {
            throw Refusal(
                EgressRefusal(
                    RuleID("model-extra"),
                    "the request has the service do or read more than stands in it "
                        + "(\(EgressRefusal.quoted(extra.utf8))), which this run's limits do not hold",
                    remedy: "Leave it out, or have an operator list it with what it may use in models.extras."
                )
            )
        }
        if rules.microdollarsMax != nil, tariff(read.model) == nil {
            throw Refusal(
                EgressRefusal(
                    RuleID("model-unpriced"),
                    "the run's money is limited, and the price of \(EgressRefusal.quoted(read.model.utf8)) at "
                        + "\(provider.name) is not known",
                    remedy: "An operator adds it to models.prices, or limits tokens in place of money."
                )
            )
        }
    }

    private static let listBytesMax = 400

    /// What a budget does not hold; with a list of models, a tool that names one of its own.
    private func refusedExtra(_ read: ModelRequest) -> String? {
        let rules = desk.rules
        guard rules.isBudget || rules.models != nil && read.extrasNameModel else { return nil }
        if read.extras.count >= ExtraFinder.namesMax { return "too much" }
        return read.extras.first { rules.extra($0) == nil }
    }

    /// What the model costs; with a limit on money, at most.
    private func tariff(_ model: String) -> ModelTariff? {
        provider.tariff(of: model) ?? (desk.rules.microdollarsMax == nil ? nil : provider.dearest)
    }

    /// - Parameter ruling: what becomes of it when it is written down.
    private func reserve(_ read: ModelRequest, _ ruling: ModelRuling) throws(Refusal) -> ModelRuling {
        let rules = desk.rules
        let extras = rules.isBudget ? read.extras.compactMap(rules.extra) : []
        let reserve = ModelReserve(read, tariff(read.model), extras: extras)
        do throws(EgressRefusal) {
            let (number, announcement) = try desk.reserve(read, reserve, provider, on: loop)
            guard case .waits(let isTold, let withdraw) = announcement else {
                phase = .reserved(number, reserve, hasLeft: false)
                return ruling
            }
            phase = .announced(withdraw: withdraw)
            isTold.assumeIsolated().whenComplete { [self] result in
                heard((try? result.get()) ?? false, number, reserve, read.model, ruling)
            }
            return .wait { [self] hear in self.hear = hear }
        } catch {
            throw unwritten(error, read.model)
        }
    }

    /// It is known now whether the request was written down, or it never will be.
    private func heard(
        _ isTold: Bool,
        _ number: UInt64,
        _ reserve: ModelReserve,
        _ model: String,
        _ ruling: ModelRuling
    ) {
        guard case .announced = phase, let hear else {
            // Nobody waits for it any more. An entry that was opened is closed.
            if isTold { desk.settle(number, reserve, (ModelUse.Tokens(), 0, .free)) } else { desk.untold(reserve) }
            return
        }
        self.hear = nil
        phase = isTold ? .reserved(number, reserve, hasLeft: false) : .settled
        hear(isTold ? ruling : refuse(unwritten(desk.untold(reserve), model)))
    }

    private func unwritten(_ refusal: EgressRefusal, _ model: String) -> Refusal {
        desk.refused(provider, model)
        let isUnknown = desk.rules.microdollarsMax != nil && provider.tariff(of: model) == nil
        let more = isUnknown ? "; its price is not known, so that it counts as the dearest of \(provider.name)" : ""
        // One that could not be written down may be tried again; a budget stays what it is.
        let status = refusal.rule == RuleID("model-ledger") ? 503 : 400
        return Refusal(EgressRefusal(refusal.rule, refusal.reason + more, remedy: refusal.remedy), status: status)
    }
}
