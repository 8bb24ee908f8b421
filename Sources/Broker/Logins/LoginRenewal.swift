import BrokerLink
import Egress
import NIOCore
import NIOSSL
import Synchronization

/// Why a login was not renewed.
enum LoginFailure: Error, Equatable {
    /// The provider says that the login is over.
    case revoked
    /// Nobody answered, or not as it should be.
    case unavailable(String)
}

/// Asks the provider for other tokens. Its hosts are reached by the broker alone: what the sandbox may reach has
/// nothing to do with it, and the other way round.
final class LoginRenewal: Sendable {
    /// A provider that has not answered by then does not.
    private static let answerTime = TimeAmount.seconds(20)
    private static let answerBytesMax = 32 << 10

    private let settings: SettingsStore
    private let dialer: Dialer
    private let unixSeconds: @Sendable () -> Double

    init(_ settings: SettingsStore, unixSeconds: @escaping @Sendable () -> Double) {
        let own = SettingsStore(Self.derived(settings.current))
        self.settings = own
        dialer = Dialer(settings: own)
        self.unixSeconds = unixSeconds
        settings.onReplace { own.replace(Self.derived($0)) }
    }

    /// The same names, addresses, upstreams and roots, and the providers' hosts alone.
    private static func derived(_ settings: BrokerSettings) -> BrokerSettings {
        var derived = settings
        let hosts = HeldSecret.Form.allCases.compactMap(LoginProvider.of).map(\.host)
        derived.policy.allow = hosts.compactMap { try? NetworkRule($0) }
        derived.policy.narrowed = nil
        derived.secrets = []
        return derived
    }

    /// - Returns: the tokens from now on; fails with ``LoginFailure``.
    func renew(_ tokens: LoginTokens, _ provider: LoginProvider, on loop: any EventLoop) -> EventLoopFuture<LoginTokens>
    {
        guard let refresh = tokens.refresh, let target = provider.target else {
            return loop.makeFailedFuture(LoginFailure.revoked)
        }
        let now = UInt64(unixSeconds() * 1000)
        let question = LoginQuestion(request: provider.request(refresh, scopes: tokens.scopes)) { answer in
            try provider.tokens(answer, after: tokens, unixMilliseconds: now)
        }
        let asked = loop.makePromise(of: LoginAnswer.self)
        dialer.dial(target, on: loop).whenComplete { result in
            switch result {
            case .failure(let error): asked.fail(LoginFailure.unavailable(Self.reason(error)))
            case .success(let dialled):
                loop.assumeIsolated().execute { self.ask(provider, target, question, dialled.channel, asked) }
            }
        }
        return asked.futureResult.flatMapThrowing { answer in
            // Both providers say so with 400 or 401; whoever is refused for another reason may ask again.
            if answer.status == 400 || answer.status == 401 || answer.status == 403 { throw LoginFailure.revoked }
            guard answer.status == 200 else {
                throw LoginFailure.unavailable("\(provider.host) answered \(answer.status)")
            }
            guard let tokens = answer.tokens else {
                throw LoginFailure.unavailable("\(provider.host) answered with no tokens")
            }
            return tokens
        }
    }

    private func ask(
        _ provider: LoginProvider,
        _ target: ConnectTarget,
        _ question: LoginQuestion,
        _ channel: any Channel,
        _ asked: EventLoopPromise<LoginAnswer>
    ) {
        let limits = settings.current.limits
        let reader: LoginAnswerReader
        do throws(LinkError) {
            let head = HTTP1Reader(.response, headBytesMax: limits.headBytes, fieldsMax: limits.headFields)
            reader = try LoginAnswerReader(question, head, bytesMax: Self.answerBytesMax) { result in
                asked.completeWith(result)
                channel.close(promise: nil)
            }
        } catch {
            channel.close(promise: nil)
            return asked.fail(LoginFailure.unavailable(error.description))
        }
        do {
            guard case .name(let name) = target.host else { throw DialFailure("\(target) is no name") }
            let context = try OutsideTrust(settings).context(for: name, isHTTP1Only: true)
            let pipeline = channel.pipeline.syncOperations
            let handshake = OutsideHandshake { result in
                switch result {
                case .success: reader.begin()
                case .failure(let error): reader.end(.failure(LoginFailure.unavailable(Self.reason(error))))
                }
            }
            try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: name.text))
            try pipeline.addHandler(handshake)
            try pipeline.addHandler(reader)
            handshake.begin(within: limits.dialSeconds)
            channel.eventLoop.assumeIsolated().scheduleTask(in: Self.answerTime) {
                reader.end(.failure(LoginFailure.unavailable("\(provider.host) did not answer in time")))
            }
            channel.read()
        } catch {
            reader.end(.failure(LoginFailure.unavailable(Self.reason(error))))
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let refusal as EgressRefusal: refusal.reason
        case let failure as DialFailure: failure.reason
        default: "\(error)"
        }
    }
}

/// What a provider is asked, and how its answer is read.
private struct LoginQuestion: Sendable {
    let request: ByteBuffer
    let read: @Sendable (UnsafeRawBufferPointer) throws -> LoginTokens?
}

/// What a provider answered.
struct LoginAnswer: Sendable {
    let status: Int
    let tokens: LoginTokens?
}

/// Sends one request once the connection is verified, and reads the answer to it.
private final class LoginAnswerReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var request: ByteBuffer
    private var reader: HTTP1Reader
    private let read: @Sendable (UnsafeRawBufferPointer) throws -> LoginTokens?
    private let bytesMax: Int
    private var done: ((Result<LoginAnswer, any Error>) -> Void)?
    private var context: ChannelHandlerContext?
    private var status = 0
    private var body: SecretBuffer

    init(
        _ question: LoginQuestion,
        _ reader: HTTP1Reader,
        bytesMax: Int,
        done: @escaping (Result<LoginAnswer, any Error>) -> Void
    ) throws(LinkError) {
        body = try SecretBuffer(bytesMax: bytesMax, .required)
        request = question.request
        read = question.read
        self.reader = reader
        self.reader.answering = "POST"
        self.bytesMax = bytesMax
        self.done = done
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        end(.failure(LoginFailure.unavailable("the connection ended")))
    }

    func begin() {
        guard let context else { return }
        context.writeAndFlush(wrapOutboundOut(request), promise: nil)
        context.read()
    }

    func end(_ result: Result<LoginAnswer, any Error>) {
        guard let done else { return }
        self.done = nil
        request.wipe()
        done(result)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        reader.append(unwrapInboundIn(data))
        do {
            while let part = try reader.next() { try take(part) }
        } catch {
            end(.failure(LoginFailure.unavailable("what it answered is no HTTP: \(error.reason)")))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if done != nil { context.read() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let part = try? reader.finish() { try? take(part) }
        end(.failure(LoginFailure.unavailable("the connection ended before the answer did")))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(.failure(LoginFailure.unavailable("\(error)")))
    }

    private func take(_ part: HTTP1Reader.Part) throws(HTTPRefusal) {
        switch part {
        case .head(let head):
            guard case .response(let status, _) = head.line else { return }
            self.status = status
        case .body(let bytes):
            guard body.count + bytes.readableBytes <= bytesMax else {
                throw HTTPRefusal(502, "http-framing", "it is longer than \(bytesMax) bytes")
            }
            bytes.withUnsafeReadableBytes { body.append($0) }
            bytes.wipeReadable()
        case .end where status >= 200:
            let tokens = status == 200 ? try? read(body.bytes) : nil
            body.shorten(to: 0)
            end(.success(LoginAnswer(status: status, tokens: tokens ?? nil)))
        case .end: break
        }
    }
}
