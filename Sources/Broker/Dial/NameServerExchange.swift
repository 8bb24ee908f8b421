import BrokerLink
import Egress
import NIOCore
import NIOPosix

/// One question to one name server of the host, and its answer.
///
/// Whoever can make the broker take a forged answer sends a listed name to an address of his own choice. So a question
/// has a random number, a random port, its letters in random case, and only an answer that repeats all of it counts; a
/// datagram from another address is not even received. Where something is off, the question is asked again over TCP,
/// where nobody can guess.
enum NameServerExchange {
    enum Failure: Error, Equatable {
        /// Nothing came in time.
        case silent
        /// Nobody listens there, or the connection broke.
        case unreachable
        /// An answer came that is none, or that does not fit its question.
        case notUnderstood
        /// The server says that it cannot or will not answer.
        case refused(DNSCode)
    }

    /// Datagrams that do not fit before the question is asked again over TCP.
    static let straysMax = 4

    static func ask(
        _ server: NameServer,
        _ name: DNSName,
        _ type: DNSType,
        within time: TimeAmount,
        on loop: any EventLoop
    ) -> EventLoopFuture<DNSAnswer> {
        let deadline = NIODeadline.now() + time
        guard let address = try? server.socketAddress else { return loop.makeFailedFuture(Failure.unreachable) }
        return datagram(address, Question(name, type), deadline, on: loop).flatMap { answer in
            guard let answer else { return stream(address, Question(name, type), deadline, on: loop) }
            return loop.makeSucceededFuture(answer)
        }.flatMapThrowing { answer in
            // A name that does not exist has no addresses: that is an answer too.
            guard [.done, .noSuchName].contains(answer.header.code) else {
                throw Failure.refused(answer.header.code)
            }
            return answer
        }
    }

    /// What is sent, and what fits it.
    struct Question: Sendable {
        let id = UInt16.random(in: .min ... .max)
        let question: DNSQuestion

        init(_ name: DNSName, _ type: DNSType) { question = DNSQuestion(name.inRandomCase(), type) }

        var bytes: [UInt8] { question.bytes(id: id) }

        func fits(_ answer: DNSAnswer) -> Bool { answer.header.id == id && answer.question == question }
    }

    /// - Returns: nil where the question is to be asked again over TCP.
    private static func datagram(
        _ server: SocketAddress,
        _ question: Question,
        _ deadline: NIODeadline,
        on loop: any EventLoop
    ) -> EventLoopFuture<DNSAnswer?> {
        let promise = loop.makePromise(of: DNSAnswer?.self)
        // A new socket for each question, connected, so that the kernel takes datagrams of that address alone.
        DatagramBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramExchange(question, promise, deadline))
                }
            }
            .connect(to: server)
            .whenFailure { _ in promise.fail(Failure.unreachable) }
        return promise.futureResult
    }

    private static func stream(
        _ server: SocketAddress,
        _ question: Question,
        _ deadline: NIODeadline,
        on loop: any EventLoop
    ) -> EventLoopFuture<DNSAnswer> {
        let promise = loop.makePromise(of: DNSAnswer.self)
        ClientBootstrap(group: loop)
            .connectTimeout(max(.milliseconds(1), deadline - .now()))
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(StreamExchange(question, promise, deadline))
                }
            }
            .connect(to: server)
            .whenFailure { _ in promise.fail(Failure.unreachable) }
        return promise.futureResult
    }
}

/// Waits for the one datagram that fits.
private final class DatagramExchange: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = ByteBuffer

    private let question: NameServerExchange.Question
    private let promise: EventLoopPromise<DNSAnswer?>
    private let deadline: NIODeadline
    private var strays = 0
    private var timer: Scheduled<Void>?

    init(_ question: NameServerExchange.Question, _ promise: EventLoopPromise<DNSAnswer?>, _ deadline: NIODeadline) {
        self.question = question
        self.promise = promise
        self.deadline = deadline
    }

    func channelActive(context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            self.finish(context, .failure(NameServerExchange.Failure.silent))
        }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: question.bytes))).assumeIsolated().whenFailure { _ in
            self.finish(context, .failure(NameServerExchange.Failure.unreachable))
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Array(unwrapInboundIn(data).data.readableBytesView)
        guard let answer = try? DNSAnswer(bytes), question.fits(answer) else {
            strays += 1
            // A server that writes the name in its own case is honest, and somebody who guesses is not; asking over TCP
            // is right for both.
            if strays >= NameServerExchange.straysMax || isOtherCase(bytes) { finish(context, .success(nil)) }
            return
        }
        finish(context, .success(answer.header.isTruncated ? nil : answer))
    }

    /// Nobody listens: the kernel says so where the server's does.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(context, .failure(NameServerExchange.Failure.unreachable))
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        promise.fail(NameServerExchange.Failure.unreachable)
    }

    private func isOtherCase(_ bytes: [UInt8]) -> Bool {
        guard let answer = try? DNSAnswer(bytes) else { return false }
        return answer.header.id == question.id && answer.question.name.isSame(as: question.question.name)
    }

    private func finish(_ context: ChannelHandlerContext, _ result: Result<DNSAnswer?, any Error>) {
        promise.completeWith(result)
        context.close(promise: nil)
    }
}

/// Asks over TCP: one question, one answer behind its length.
private final class StreamExchange: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let question: NameServerExchange.Question
    private let promise: EventLoopPromise<DNSAnswer>
    private let deadline: NIODeadline
    private var buffer = ByteBuffer()
    private var timer: Scheduled<Void>?

    init(_ question: NameServerExchange.Question, _ promise: EventLoopPromise<DNSAnswer>, _ deadline: NIODeadline) {
        self.question = question
        self.promise = promise
        self.deadline = deadline
    }

    func channelActive(context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            self.finish(context, .failure(NameServerExchange.Failure.silent))
        }
        var framed = ByteBuffer()
        let bytes = question.bytes
        framed.writeInteger(UInt16(bytes.count))
        framed.writeBytes(bytes)
        context.writeAndFlush(wrapOutboundOut(framed), promise: nil)
    }

    /// What is kept is bounded by the length in front: two bytes.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        buffer.writeBuffer(&bytes)
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: UInt16.self),
            let message = buffer.getBytes(at: buffer.readerIndex + 2, length: Int(length))
        else { return }
        guard let answer = try? DNSAnswer(message), question.fits(answer) || isOtherCase(answer),
            !answer.header.isTruncated
        else { return finish(context, .failure(NameServerExchange.Failure.notUnderstood)) }
        finish(context, .success(answer))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(context, .failure(NameServerExchange.Failure.unreachable))
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        promise.fail(NameServerExchange.Failure.unreachable)
    }

    /// On a connection of its own the number is enough: nobody else can write to it.
    private func isOtherCase(_ answer: DNSAnswer) -> Bool {
        answer.header.id == question.id && answer.question.type == question.question.type
            && answer.question.network == question.question.network
            && answer.question.name.isSame(as: question.question.name)
    }

    private func finish(_ context: ChannelHandlerContext, _ result: Result<DNSAnswer, any Error>) {
        promise.completeWith(result)
        context.close(promise: nil)
    }
}

extension DNSName {
    /// The same name with each letter in upper or lower case by chance: bits that a forged answer must guess.
    func inRandomCase() -> DNSName {
        DNSName(
            wire: wire.map { byte in
                let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                return isLetter && Bool.random() ? byte ^ 0x20 : byte
            }
        )
    }
}
