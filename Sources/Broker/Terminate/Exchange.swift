import BrokerLink
import Domain
import Egress
import NIOCore
import NIOHTTP2

/// One request and its answer: judged, passed on piece by piece as fast as the slower side takes it, and recorded.
///
/// Everything happens on the event loop of the client's connection.
final class Exchange {
    private enum Phase { case judging, collecting, announcing, leasing, connecting, running, renewing, over }

    /// Answers that announce another one. More are no announcement.
    private static let announcementsMax = 16

    private let connection: ClientConnection
    private var client: (any ExchangeClient)?
    private var server: (any ExchangeServer)?
    private var request: RequestHead
    private var phase = Phase.judging
    private var record: ConnectionRecord
    private let began = NIODeadline.now()

    private var requestIsOver: Bool
    private var hasAnswer = false
    private var isRaw = false
    private var clientWaits = false
    private var serverWaits = false
    private var wasTriedAgain = false
    private var wasRenewed = false
    /// What happened to the server while another value was waited for.
    private var lossMeanwhile: ServerLoss?
    private var announcements = 0
    /// What the client sent of the body while nobody took it.
    private var collected = ByteBuffer()
    private var trailers = HTTPFields()
    /// Some of the body has left and is not kept, so that the request cannot be sent again.
    private var bodyHasLeft = false

    init(_ request: RequestHead, client: any ExchangeClient, connection: ClientConnection) {
        self.request = request
        self.client = client
        self.connection = connection
        requestIsOver = request.body == .none
        let judgement = connection.judge(request)
        self.judgement = judgement
        passage = connection.passage(request, judgement)
        record = ConnectionRecord(
            door: connection.approach.door,
            host: request.target.host.description,
            port: request.target.port,
            treatment: .terminated,
            decision: judgement.decision,
            beganSeconds: connection.secondsSinceStart(began)
        )
        record.request = Printable.text(Array("\(request.method) \(request.pathOnly)".utf8.prefix(512)))
    }

    private let judgement: RequestJudgement
    private var passage: Passage

    func begin() {
        connection.add(self)
        client?.place = connection.placeForRequest()
        guard client?.place != nil else { return refuseAsTooMany() }
        switch judgement.treatment {
        case .refuse(let form): refuse(judgement.decision, form)
        case .read: collect()
        case .pass: if passage.meter == nil { lease() } else { collect() }
        }
    }

    /// Reads the whole body before anything leaves.
    private func collect() {
        phase = .collecting
        if requestIsOver { return decideBody() }
        if request.fields.contains("expect") {
            client?.write(ResponseHead(status: 100, reason: "Continue", fields: HTTPFields(), body: .none))
            client?.flush()
            request.fields.remove(["expect"])
        }
        client?.readMore()
    }

    /// Gets the secret that the request is to carry, and connects.
    private func lease() {
        guard let injection = passage.injection else {
            if passage.readsAnswer { AnswerReading.ask(&request) }
            return connect(.any)
        }
        phase = .leasing
        injection.prepare(&request)
        let leased = connection.values.lease(injection.secret, on: connection.channel.eventLoop)
        leased.assumeIsolated().whenComplete { [self] result in
            guard phase == .leasing else { return }
            switch result {
            case .success(let value):
                do throws(EgressRefusal) { try passage.carry(value) } catch { return lack(error) }
                connect(.any)
            case .failure(let error): lack(error)
            }
        }
    }

    /// The secret cannot be had; without it the request would be another one.
    private func lack(_ error: any Error) {
        let refusal = error as? EgressRefusal ?? EgressRefusal(CredentialRules.missing, "no secret came: \(error)")
        note(EgressDecision(refusal))
        let remedy = refusal.remedy.map { ". " + $0.dropLast($0.hasSuffix(".") ? 1 : 0) } ?? ""
        let status = refusal.rule == CredentialRules.over ? 403 : 503
        answer(.failed(status, rule: refusal.rule.rawValue, refusal.reason + remedy))
    }

    private func connect(_ wish: OutsidePool.Wish) {
        phase = .connecting
        connection.outside.lease(request, wish) { [self] result in
            guard phase == .connecting else {
                if case .success(let server) = result { server.cancel(.cancel) }
                return
            }
            switch result {
            case .success(let server): run(server)
            case .failure(let error): fail(error)
            }
        }
    }

    private func run(_ server: any ExchangeServer) {
        phase = .running
        self.server = server
        record.address = server.address
        do throws(EgressRefusal) { try passage.begin() } catch { return lack(error) }
        server.begin(request, passage.field, for: self)
        if collected.readableBytes > 0 { server.write(body: collected) }
        if requestIsOver { server.writeEnd(trailers) } else { client?.readMore() }
        server.flush()
        self.server?.readMore()
    }

    /// Policy has changed: what it forbids now ends now.
    func revise() {
        guard phase != .over else { return }
        let judgement = connection.judge(request)
        guard case .refuse = judgement.treatment else { return reviseSecret(judgement.injection) }
        record.ending = "a changed policy forbids it: \(judgement.decision.rule)"
        if hasAnswer { abort() } else { refuse(judgement.decision, .plain) }
    }

    /// What carries a secret carries it by a binding that is in force.
    private func reviseSecret(_ injection: Injection?) {
        guard injection != passage.injection else { return }
        record.ending = "a changed binding of secrets forbids it"
        if hasAnswer { abort() } else { answer(.failed(503, rule: "credential-changed", record.ending ?? "")) }
    }

    /// The connection gives up, for a reason that is recorded.
    func end(_ reason: String, status: Int = 504) {
        guard phase != .over else { return }
        record.ending = reason
        if hasAnswer { abort() } else { answer(.failed(status, rule: "limit-idle", reason)) }
    }

    private func abort(_ code: HTTP2ErrorCode = .internalError) {
        server?.cancel(.cancel)
        let client = client
        close()
        client?.abort(code)
    }

    private func note(_ decision: EgressDecision) {
        record.treatment = .refused
        record.verdict = .deny
        record.rule = decision.rule
        record.reason = decision.reason
        record.remedy = decision.remedy
    }

    private func refuse(_ decision: EgressDecision, _ form: ForgeRules.Form) {
        note(decision)
        answer(form == .advertisement ? .deniedPush(decision) : .denied(decision, to: request))
    }

    private func refuseAsTooMany() {
        let refusal = EgressRefusal(
            RuleID("limit-requests"),
            "\(connection.limits.requests) requests wait for their answers already (requests)",
            remedy: "Try again when some of them were answered."
        )
        note(EgressDecision(refusal))
        answer(.failed(503, rule: refusal.rule.rawValue, refusal.reason))
    }

    private func fail(_ error: any Error) {
        if let refusal = error as? EgressRefusal { return refuse(EgressDecision(refusal), .plain) }
        let failure = error as? DialFailure ?? DialFailure("\(error)")
        record.ending = Printable.text(Array(failure.reason.utf8.prefix(512)))
        answer(.failed(failure.status, rule: "upstream", record.ending ?? ""))
    }

    private func answer(_ answer: OwnAnswer) {
        server?.cancel(.cancel)
        let client = client
        let isHead = request.method == "HEAD"
        record.bytesIn += UInt64(isHead ? 0 : answer.body.readableBytes)
        close()
        var head = answer.head
        if isHead { head.body = .none }
        head.isLast = !requestIsOver
        client?.write(head)
        if !isHead, answer.body.readableBytes > 0 { client?.write(body: answer.body) }
        client?.writeEnd(HTTPFields())
        client?.flush()
    }

    /// Takes the record down and lets go of both sides.
    private func close() {
        guard phase != .over else { return }
        phase = .over
        passage.end()
        record.seconds = connection.secondsSinceStart(.now()) - record.beganSeconds
        connection.remove(self)
        connection.record(record)
        client = nil
        server = nil
    }
}

/// What the client's side says.
extension Exchange {
    func clientBody(_ bytes: ByteBuffer) {
        connection.touch()
        switch phase {
        case .collecting:
            guard collected.readableBytes + bytes.readableBytes <= collectedMax else { return refuseAsTooLarge() }
            guard passage.meter?.collects(bytes.readableBytes) ?? true else { return refuseAsTooMany() }
            collected.writeImmutableBuffer(bytes)
            client?.readMore()
        case .connecting: passOut { () throws(EgressRefusal) in try passage.leave(bytes) }
        case .running:
            guard let server else { return }
            passOut { () throws(EgressRefusal) in try passage.leave(bytes) }
            guard phase == .running else { return }
            server.flush()
            if server.isWritable { client?.readMore() } else { clientWaits = true }
        default: return
        }
    }

    func clientEnd(_ trailers: HTTPFields) {
        guard !requestIsOver || isRaw else { return }
        requestIsOver = true
        self.trailers = passage.injection?.cleansed(trailers) ?? trailers
        switch phase {
        case .collecting: decideBody()
        case .connecting: passOut { () throws(EgressRefusal) in try passage.leaveEnd(trailers) }
        case .running:
            passOut { () throws(EgressRefusal) in try passage.leaveEnd(trailers) }
            guard phase == .running else { return }
            server?.writeEnd(self.trailers)
            server?.flush()
            if isRaw { close() }
        default: return
        }
    }

    /// Sends on what a look at the body leaves of it, or ends the request where that finds something.
    private func passOut(_ look: () throws(EgressRefusal) -> ByteBuffer) {
        do throws(EgressRefusal) {
            let bytes = try look()
            guard bytes.readableBytes > 0 else { return }
            record.bytesOut += UInt64(bytes.readableBytes)
            if let server {
                bodyHasLeft = true
                server.write(body: bytes)
            } else {
                // It was asked for when there was somebody to take it.
                collected.writeImmutableBuffer(bytes)
            }
        } catch {
            note(EgressDecision(error))
            if hasAnswer { abort() } else { refuse(EgressDecision(error), .plain) }
        }
    }

    private var collectedMax: Int { passage.meter?.bodyBytesMax ?? LargeFileBatch.bytesMax }

    private func refuseAsTooLarge() {
        let isModel = passage.meter != nil
        let what = isModel ? "the request to a model" : "the request for large files"
        record.ending = "\(what) has more than \(collectedMax) bytes"
        answer(.failed(413, rule: isModel ? "model-request" : "git-large-files", record.ending ?? ""))
    }

    private func decideBody() {
        if judgement.treatment == .read, let refusal = LargeFileBatch.refusal(of: collected) {
            return refuse(EgressDecision(refusal), .plain)
        }
        if let meter = passage.meter { return follow(meter.judge(&request, collected)) }
        passCollected()
        guard phase != .over else { return }
        sendCollected()
    }

    private func sendCollected() {
        request.body = .bytes(UInt64(collected.readableBytes))
        record.bytesOut += UInt64(collected.readableBytes)
        trailers = HTTPFields()
        lease()
    }

    /// Looks through a body that was collected, from which nothing is held back.
    private func passCollected() {
        let (whole, bytesOut) = (collected, record.bytesOut)
        collected = ByteBuffer()
        passOut { () throws(EgressRefusal) in try passage.leave(whole) }
        guard phase != .over else { return }
        passOut { () throws(EgressRefusal) in try passage.leaveEnd(trailers) }
        record.bytesOut = bytesOut
    }

    /// What a model's rules make of the request.
    private func follow(_ ruling: ModelRuling) {
        switch ruling {
        case .refuse(let refusal, let answer):
            note(EgressDecision(refusal))
            self.answer(answer)
        case .pass(let body, let alarms):
            collected = body
            for alarm in alarms { connection.recordAlarm(alarm) }
            sendCollected()
        case .wait(let hear):
            phase = .announcing
            hear { [self] ruling in
                if phase == .announcing { follow(ruling) }
            }
        }
    }

    func clientGone(_ reason: String?, _ code: HTTP2ErrorCode = .cancel) {
        guard phase != .over else { return }
        if record.ending == nil { record.ending = reason }
        server?.cancel(code)
        close()
    }

    func clientWritable() {
        guard serverWaits, client?.isWritable == true else { return }
        serverWaits = false
        server?.readMore()
    }
}

/// What the outer side says.
extension Exchange {
    func serverHead(_ head: ResponseHead) {
        connection.touch()
        guard phase == .running, let client else { return }
        if head.status == 101 { return switchProtocol(head) }
        if head.status == 401, renew(head) { return }
        let looked: ResponseHead
        do throws(EgressRefusal) { looked = try passage.come(head) } catch { return cut(error) }
        pass(looked, to: client)
    }

    private func pass(_ head: ResponseHead, to client: any ExchangeClient) {
        if head.isInformational {
            announcements += 1
            guard announcements <= Self.announcementsMax else {
                return serverBroke("the answer is announced more than \(Self.announcementsMax) times")
            }
            if !request.reply.isOld { client.write(head) }
            client.flush()
            server?.readMore()
            return
        }
        hasAnswer = true
        client.write(head)
        readOn()
    }

    private func switchProtocol(_ head: ResponseHead) {
        guard request.isWebSocket, requestIsOver, let client, let server else {
            return serverBroke("the server switched to a protocol that nobody asked for")
        }
        hasAnswer = true
        isRaw = true
        record.ending = "became a WebSocket"
        client.write(head)
        client.flush()
        server.becomeRaw()
        client.becomeRaw()
        client.readMore()
        server.readMore()
    }

    func serverBody(_ bytes: ByteBuffer) {
        connection.touch()
        guard phase == .running, let client else { return }
        do throws(EgressRefusal) { passIn(try passage.come(bytes), to: client) } catch { return cut(error) }
        readOn()
    }

    private func passIn(_ bytes: ByteBuffer, to client: any ExchangeClient) {
        guard bytes.readableBytes > 0 else { return }
        record.bytesIn += UInt64(bytes.readableBytes)
        client.write(body: bytes)
    }

    /// The answer holds what must not come in.
    private func cut(_ refusal: EgressRefusal) {
        note(EgressDecision(refusal))
        if hasAnswer { abort() } else { answer(.failed(502, rule: refusal.rule.rawValue, refusal.reason)) }
    }

    /// The next part, when the client has taken most of what it got.
    private func readOn() {
        if client?.isWritable == true {
            server?.readMore()
        } else {
            client?.flush()
            if client?.isWritable == true { server?.readMore() } else { serverWaits = true }
        }
    }

    func serverEnd(_ trailers: HTTPFields) {
        guard phase == .running, let client else { return }
        do throws(EgressRefusal) { passIn(try passage.comeEnd(trailers), to: client) } catch { return cut(error) }
        if !requestIsOver { server?.cancel(.cancel) }
        close()
        client.writeEnd(trailers)
        client.flush()
    }

    private func serverBroke(_ reason: String) {
        server?.cancel(.cancel)
        serverGone(ServerLoss(reason))
    }

    /// A service refused the secret: where another value can be had, the request is sent once more.
    private func renew(_ head: ResponseHead) -> Bool {
        guard !wasRenewed, let refused = passage.refusedValue else { return false }
        wasRenewed = true
        let loop = connection.channel.eventLoop
        let renewed = connection.values.rejected(refused.value, of: refused.secret, on: loop)
        guard requestIsOver, !bodyHasLeft else { return false }
        phase = .renewing
        renewed.assumeIsolated().whenComplete { [self] result in
            guard phase == .renewing else { return }
            if case .success(let value?) = result {
                server?.cancel(.cancel)
                server = nil
                do throws(EgressRefusal) { try passage.carry(value) } catch { return lack(error) }
                return connect(.any)
            }
            phase = .running
            serverHead(head)
            if let loss = lossMeanwhile { serverGone(loss) }
        }
        return true
    }

    func serverGone(_ loss: ServerLoss) {
        if phase == .renewing { lossMeanwhile = loss }
        guard phase == .running, let client, let server else { return }
        if let wish = again(loss, server) {
            wasTriedAgain = true
            self.server = nil
            clientWaits = false
            return connect(wish)
        }
        if isRaw {
            self.server = nil
            close()
            return client.abort(.internalError)
        }
        record.ending = passage.telling(Printable.text(Array(loss.reason.utf8.prefix(512))))
        // The client cannot tell this from a connection of its own that went away, and does then what it does.
        let isOfOldConnection = loss.isEarly && server.isReused && !loss.isUntouched
        if hasAnswer || isOfOldConnection { return abort(loss.code ?? .internalError) }
        if let code = loss.code, client.hearsResets { return abort(code) }
        answer(.failed(502, rule: "upstream", record.ending ?? ""))
    }

    /// How a request that was lost is sent again; nil where that could do something twice.
    private func again(_ loss: ServerLoss, _ server: any ExchangeServer) -> OutsidePool.Wish? {
        guard !wasTriedAgain, !hasAnswer, !bodyHasLeft, !isRaw else { return nil }
        if loss.isUntouched { return loss.wantsHTTP1 ? .http1 : .unused }
        let isSafe = ["GET", "HEAD", "OPTIONS"].contains(request.method) && request.body == .none
        return loss.isEarly && server.isReused && isSafe && requestIsOver ? .unused : nil
    }

    func serverWritable() {
        guard clientWaits, server?.isWritable == true else { return }
        clientWaits = false
        client?.readMore()
    }

    /// Everything that came at once has been said.
    func serverPaused() { client?.flush() }
}
