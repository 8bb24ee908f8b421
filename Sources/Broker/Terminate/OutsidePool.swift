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

    /// What a request wants of its connection.
    enum Wish {
        case any
        /// One that may have gone away meanwhile did so already.
        case unused
        /// The same, in HTTP/1.1.
        case http1
    }

    /// Free connections that are kept.
    private static let freeMax = 4
    /// Connections that speak HTTP/2 to one place; more requests than they take wait.
    private static let sharedMax = 4

    private struct Place: Hashable {
        let target: ConnectTarget
        let isTLS: Bool
    }

    private struct Free {
        let place: Place
        let version: Int
        let server: HTTP1Server
    }

    private struct Shared {
        let place: Place
        let version: Int
        let outside: HTTP2Outside
    }

    /// A request that waits for a connection which it may share.
    private struct Waiter {
        let wish: Wish
        let answer: Answer
    }

    private let loop: any EventLoop
    private let forwarder: RequestForwarder
    private let trust: OutsideTrust
    private var free: [Free] = []
    private var shared: [Shared] = []
    private var waiting: [Place: CircularBuffer<Waiter>] = [:]
    /// Places that a connection is being made to, which may turn out to be shared.
    private var dialled: Set<Place> = []
    /// Places that chose HTTP/1.1 last.
    private var unshared: Set<Place> = []
    private var isClosed = false

    init(loop: any EventLoop, forwarder: RequestForwarder) {
        self.loop = loop
        self.forwarder = forwarder
        trust = forwarder.trust(on: loop)
    }

    /// A connection, or a part of one, for one request.
    func lease(_ request: RequestHead, _ wish: Wish, _ answer: @escaping Answer) {
        let place = Place(target: request.target, isTLS: request.scheme == .https)
        var isAlone = !place.isTLS || request.isWebSocket
        if case .http1 = wish { isAlone = true }
        guard isAlone else {
            // Nobody waits, and nobody shares: most often one request follows another.
            if waiting.isEmpty, shared.isEmpty, let server = kept(place, wish) { return answer(.success(server)) }
            waiting[place, default: []].append(Waiter(wish: wish, answer: answer))
            return serve(place)
        }
        if let server = kept(place, wish) { return answer(.success(server)) }
        dial(place, isHTTP1Only: true) { [self] result in answer(installed(result, place)) }
    }

    /// The settings were replaced: what is free goes, and what is in use takes no other request.
    func revise() {
        for kept in Array(free) { kept.server.close() }
        for kept in Array(shared) { kept.outside.finish() }
        unshared = []
    }

    func close() {
        isClosed = true
        for kept in Array(free) { kept.server.close() }
        for kept in Array(shared) { kept.outside.close() }
        waiting = [:]
    }

    /// A free connection that speaks HTTP/1.1.
    private func kept(_ place: Place, _ wish: Wish) -> HTTP1Server? {
        guard case .any = wish, let index = free.lastIndex(where: { $0.place == place }) else { return nil }
        let kept = free.remove(at: index)
        if kept.version == forwarder.settings.version { return kept.server }
        kept.server.close()
        return nil
    }

    /// Gives those who wait what there is, or makes more of it.
    private func serve(_ place: Place) {
        while !isClosed, let waiter = waiting[place]?.first {
            if let outside = shared.first(where: { $0.place == place && $0.outside.hasRoom })?.outside {
                waiting[place]?.removeFirst()
                begin(outside, place, waiter)
            } else if let server = kept(place, waiter.wish) {
                waiting[place]?.removeFirst()
                waiter.answer(.success(server))
            } else if unshared.contains(place) {
                waiting[place]?.removeFirst()
                dial(place, isHTTP1Only: false) { [self] result in arrived(result, place, waiter) }
            } else {
                let open = shared.filter { $0.place == place && !$0.outside.isLast }
                let isFull = open.count == Self.sharedMax || !open.allSatisfy(\.outside.hasHeardSettings)
                guard !dialled.contains(place), !isFull else { return }
                waiting[place]?.removeFirst()
                dialled.insert(place)
                return dial(place, isHTTP1Only: false) { [self] result in
                    dialled.remove(place)
                    arrived(result, place, waiter)
                }
            }
        }
        waiting[place] = nil
    }

    private func begin(_ outside: HTTP2Outside, _ place: Place, _ waiter: Waiter) {
        outside.begin { [self] server in
            if let server { return waiter.answer(.success(server)) }
            guard !isClosed else { return waiter.answer(.failure(ChannelError.ioOnClosedChannel)) }
            waiting[place, default: []].prepend(waiter)
            serve(place)
        }
    }

    /// A connection was made, or not; now it is known what is spoken over it.
    private func arrived(_ result: Result<Connected, any Error>, _ place: Place, _ waiter: Waiter) {
        if case .success(let connected) = result, connected.spoken == .http2 {
            unshared.remove(place)
            do {
                begin(try share(connected, place), place, waiter)
            } catch {
                connected.dialled.channel.close(promise: nil)
                waiter.answer(.failure(error))
            }
            return serve(place)
        }
        if case .success = result { unshared.insert(place) }
        waiter.answer(installed(result, place))
        // Nobody waits for a way that was just found to lead nowhere.
        if case .failure(let error) = result {
            for other in waiting.removeValue(forKey: place) ?? [] { other.answer(.failure(error)) }
        }
        serve(place)
    }

    private func share(_ connected: Connected, _ place: Place) throws -> HTTP2Outside {
        let limits = forwarder.settings.current.limits
        let outside = try HTTP2Outside.install(
            connected.dialled,
            headBytes: limits.headBytes,
            fieldsMax: limits.headFields,
            backlog: forwarder.backlog,
            onChange: { [weak self] outside in
                guard let self else { return }
                if outside.isLast { shared.removeAll { $0.outside === outside } }
                if !isClosed { serve(place) }
            }
        )
        shared.append(Shared(place: place, version: connected.version, outside: outside))
        if connected.version != forwarder.settings.version { outside.finish() }
        return outside
    }

    private func installed(
        _ result: Result<Connected, any Error>,
        _ place: Place
    ) -> Result<any ExchangeServer, any Error> {
        result.flatMap { connected in
            Result { try install(connected, place) }
        }
    }

    private func install(_ connected: Connected, _ place: Place) throws -> HTTP1Server {
        let limits = forwarder.settings.current.limits
        let server = HTTP1Server(
            address: connected.dialled.address.address,
            headBytesMax: limits.headBytes,
            fieldsMax: limits.headFields,
            onFree: { [weak self] server in
                guard let self, !isClosed, free.count < Self.freeMax else { return server.close() }
                free.append(Free(place: place, version: connected.version, server: server))
            },
            onGone: { [weak self] server in self?.free.removeAll { $0.server === server } }
        )
        try connected.dialled.channel.pipeline.syncOperations.addHandler(server)
        return server
    }
}

/// Making a connection.
extension OutsidePool {
    private struct Connected {
        let dialled: Dialled
        let spoken: ApplicationProtocol
        /// Of the settings, when it was asked for.
        let version: Int
    }

    private func dial(
        _ place: Place,
        isHTTP1Only: Bool,
        _ answer: @escaping (Result<Connected, any Error>) -> Void
    ) {
        let version = forwarder.settings.version
        forwarder.dialing.dial(place.target, on: loop).assumeIsolated().whenComplete { [self] result in
            switch result {
            case .failure(let error): answer(.failure(error))
            case .success(let dialled):
                guard !isClosed else {
                    dialled.channel.close(promise: nil)
                    return answer(.failure(ChannelError.ioOnClosedChannel))
                }
                guard place.isTLS else {
                    return answer(.success(Connected(dialled: dialled, spoken: .http1, version: version)))
                }
                secure(dialled, place, isHTTP1Only: isHTTP1Only) { result in
                    answer(result.map { Connected(dialled: dialled, spoken: $0, version: version) })
                }
            }
        }
    }

    private func secure(
        _ dialled: Dialled,
        _ place: Place,
        isHTTP1Only: Bool,
        _ answer: @escaping OutsideHandshake.Answer
    ) {
        do {
            guard case .name(let name) = place.target.host else {
                throw DialFailure("\(place.target) is no name, and services are verified by name")
            }
            let context = try trust.context(for: name, isHTTP1Only: isHTTP1Only)
            let handshake = OutsideHandshake { result in
                if case .failure = result { dialled.channel.close(promise: nil) }
                answer(result.mapError { Self.failure($0, place.target) })
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
            self?.end(.failure(DialFailure("the handshake was not over in \(Int(seconds)) seconds", isTimeout: true)))
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
