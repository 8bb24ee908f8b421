import BrokerLink
import Egress
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

/// The connections to the outside that one connection of the sandbox has: kept for the next request to the same host,
/// and for no other client.
final class OutsidePool {
    typealias Answer = (Result<any ExchangeServer, any Error>) -> Void

    /// Free connections that are kept.
    private static let freeMax = 4

    private struct Place: Hashable {
        let target: ConnectTarget
        let isTLS: Bool
    }

    private struct Free {
        let place: Place
        let version: Int
        let server: HTTP1Server
    }

    private let loop: any EventLoop
    private let forwarder: RequestForwarder
    private let trust: OutsideTrust
    private var free: [Free] = []
    private var isClosed = false

    init(loop: any EventLoop, forwarder: RequestForwarder) {
        self.loop = loop
        self.forwarder = forwarder
        trust = forwarder.trust(on: loop)
    }

    /// A connection for one request.
    ///
    /// - Parameter isNew: not one that was used before.
    func lease(_ request: RequestHead, isNew: Bool, _ answer: @escaping Answer) {
        let place = Place(target: request.target, isTLS: request.scheme == .https)
        if !isNew, let index = free.lastIndex(where: { $0.place == place }) {
            let kept = free.remove(at: index)
            if kept.version == forwarder.settings.version { return answer(.success(kept.server)) }
            kept.server.close()
        }
        dial(place, isHTTP1Only: true, answer)
    }

    /// The settings were replaced: what is free goes.
    func revise() { for kept in Array(free) { kept.server.close() } }

    func close() {
        isClosed = true
        revise()
    }

    private func dial(_ place: Place, isHTTP1Only: Bool, _ answer: @escaping Answer) {
        forwarder.dialing.dial(place.target, on: loop).assumeIsolated().whenComplete { [self] result in
            switch result {
            case .failure(let error): answer(.failure(error))
            case .success(let dialled):
                guard !isClosed else {
                    dialled.channel.close(promise: nil)
                    return answer(.failure(ChannelError.ioOnClosedChannel))
                }
                connect(dialled, place, isHTTP1Only: isHTTP1Only, answer)
            }
        }
    }

    private func connect(_ dialled: Dialled, _ place: Place, isHTTP1Only: Bool, _ answer: @escaping Answer) {
        do {
            guard place.isTLS else { return answer(.success(try install(dialled, place))) }
            guard case .name(let name) = place.target.host else {
                throw DialFailure("\(place.target) is no name, and services are verified by name")
            }
            let context = try trust.context(for: name, isHTTP1Only: isHTTP1Only)
            let handshake = OutsideHandshake { [self] result in
                switch result {
                case .failure(let error):
                    dialled.channel.close(promise: nil)
                    answer(.failure(Self.failure(error, place.target)))
                case .success:
                    do { answer(.success(try install(dialled, place))) } catch { answer(.failure(error)) }
                }
            }
            let pipeline = dialled.channel.pipeline.syncOperations
            try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: name.text))
            try pipeline.addHandler(handshake)
            handshake.begin(within: forwarder.settings.current.limits.dialSeconds)
            dialled.channel.read()
        } catch {
            dialled.channel.close(promise: nil)
            answer(.failure(error))
        }
    }

    private func install(_ dialled: Dialled, _ place: Place) throws -> HTTP1Server {
        let settings = forwarder.settings
        let version = settings.version
        let server = HTTP1Server(
            address: dialled.address.address,
            headBytesMax: settings.current.limits.headBytes,
            fieldsMax: settings.current.limits.headFields,
            onFree: { [weak self] server in
                guard let self, !isClosed, free.count < Self.freeMax else { return server.close() }
                free.append(Free(place: place, version: version, server: server))
            },
            onGone: { [weak self] server in self?.free.removeAll { $0.server === server } }
        )
        try dialled.channel.pipeline.syncOperations.addHandler(server)
        return server
    }

    private static func failure(_ error: any Error, _ target: ConnectTarget) -> any Error {
        if error is DialFailure { return error }
        return DialFailure("the service at \(target) could not be verified or speaks no TLS: \(error)")
    }
}

/// Waits for the end of a handshake with a service.
final class OutsideHandshake: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// The protocol that both sides agreed on, if they did.
    typealias Answer = (Result<ApplicationProtocol, any Error>) -> Void

    private var answer: Answer?
    private var context: ChannelHandlerContext?
    private var timer: Scheduled<Void>?

    init(_ answer: @escaping Answer) { self.answer = answer }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func begin(within seconds: Double) {
        let delay = TimeAmount.nanoseconds(Int64(seconds * 1e9))
        timer = context?.eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
            self?.end(.failure(DialFailure("the handshake was not over in \(Int(seconds)) seconds")))
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .some(.handshakeCompleted(let negotiated)) = event as? TLSUserEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        let spoken = negotiated.flatMap { ApplicationProtocol(rawValue: $0) } ?? .http1
        let pipeline = context.pipeline.syncOperations
        end(.success(spoken))
        pipeline.removeHandler(self, promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard answer != nil else { return context.fireErrorCaught(error) }
        end(.failure(error))
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(.failure(DialFailure("the service ended the connection in the handshake")))
        context.fireChannelInactive()
    }

    private func end(_ result: Result<ApplicationProtocol, any Error>) {
        timer?.cancel()
        let answer = answer
        self.answer = nil
        answer?(result)
    }
}
