import Broker
import BrokerLink
import CNIOLinux
import Crypto
import Egress
import Foundation
import Glibc
import NIOCore
import NIOPosix
import Synchronization
import TestSupport

/// A forwarder with everything around it: doors that lead to it, and a way to local servers in place of the Internet.
final class ForwardingYard: Sendable {
    let store: SettingsStore
    let authority: RunAuthority
    let forwarder: RequestForwarder
    let ledger = KeptLedger()
    let dialing = LoopbackDialing()
    private let group = MultiThreadedEventLoopGroup.singleton
    private let doors = Mutex<[any Channel]>([])

    init(
        allow entries: [String],
        narrowed: [String]? = nil,
        forges: [String] = [],
        roots: String = "",
        limits: BrokerLimits = BrokerLimits(),
        secrets: [HeldSecret] = [],
        values: any CredentialValues = SecretStore()
    ) throws {
        var settings = BrokerSettings(
            policy: NetworkPolicy(
                allow: try entries.map { try NetworkRule($0) },
                narrowed: try narrowed?.map { try NetworkRule($0) }
            ),
            forges: Set(try forges.map { try HostName($0) }),
            roots: roots
        )
        settings.limits = limits
        settings.secrets = secrets
        store = SettingsStore(settings)
        authority = try RunAuthority(policy: settings.policy, certificatesMax: 16) { Date().timeIntervalSince1970 }
        forwarder = RequestForwarder(
            settings: store,
            authority: authority,
            dialing: dialing,
            ledger: ledger,
            values: values,
            models: ModelDesk(settings: store, ledger: ledger)
        )
    }

    deinit { for door in doors.withLock({ $0 }) { try? door.close().wait() } }

    /// A port whose connections are for a target, as if a door had found that out.
    func door(
        _ target: String,
        _ door: ConnectionRecord.Door = .transparent,
        isTLS: Bool = false,
        port: UInt16 = 0
    ) throws -> UInt16 {
        let approach = Approach(door: door, target: try ConnectTarget(Array(target.utf8)))
        let forwarder = forwarder
        let channel = try ServerBootstrap(group: group)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(ChannelOptions.autoRead, value: false)
            .childChannelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.execute {
                    forwarder.forward(approach, client: channel, head: ByteBuffer(), isTLS: isTLS)
                }
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .bind(host: "127.0.0.1", port: Int(port)).wait()
        doors.withLock { $0.append(channel) }
        return UInt16(channel.localAddress?.port ?? 0)
    }

    /// A port that nobody listens on, for clients that cannot be told another one than the URL's.
    static func freePort() throws -> UInt16 {
        let channel = try ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).wait()
        defer { try? channel.close().wait() }
        return UInt16(channel.localAddress?.port ?? 0)
    }

    /// Where a name leads to.
    func lead(_ target: String, to port: UInt16) throws {
        let target = try ConnectTarget(Array(target.utf8))
        dialing.ports.withLock { $0[target] = port }
    }
}

/// Dials loopback, whatever the name: the guard is another part's.
final class LoopbackDialing: Dialing {
    let ports = Mutex<[ConnectTarget: UInt16]>([:])
    let dialled = Mutex<[String]>([])

    func known(_ target: ConnectTarget) throws(EgressRefusal) -> CheckedAddress? { nil }

    func failed(_ target: ConnectTarget) {}

    func dial(_ target: ConnectTarget, on loop: any EventLoop) -> EventLoopFuture<Dialled> {
        dialled.withLock { $0.append(target.description) }
        guard let port = ports.withLock({ $0[target] }) else {
            return loop.makeFailedFuture(DialFailure("nobody answers at \(target)"))
        }
        do {
            let upstream = try Upstream(host: "up.example.com", port: 80, address: "127.0.0.1:\(port)", ca: nil)
            let address = AddressGuard().check(upstream)
            return ClientBootstrap(group: loop)
                .channelOption(ChannelOptions.autoRead, value: false)
                .channelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
                .connect(host: "127.0.0.1", port: Int(port))
                .map { Dialled(channel: $0, address: address) }
        } catch {
            return loop.makeFailedFuture(error)
        }
    }
}

/// Keeps what was recorded.
final class KeptLedger: ConnectionLedger, ModelLedger {
    private let kept = Mutex<[ConnectionRecord]>([])
    private let keptModels = Mutex<[ModelReport]>([])
    /// Whether somebody hears what is announced.
    let isHeard = Mutex(true)

    /// How long whoever hears it is behind, in milliseconds; nil is not at all.
    let delay = Mutex<Int64?>(nil)

    func announce(_ report: ModelReport, on loop: any EventLoop) -> Announcement {
        guard let delay = delay.withLock({ $0 }) else { return tell(report) ? .told : .untold }
        let isTold = loop.makePromise(of: Bool.self)
        let timer = loop.scheduleTask(in: .milliseconds(delay)) { isTold.succeed(self.tell(report)) }
        return .waits(isTold.futureResult) {
            loop.execute {
                timer.cancel()
                isTold.succeed(false)
            }
        }
    }

    private func tell(_ report: ModelReport) -> Bool {
        guard isHeard.withLock({ $0 }) else { return false }
        keptModels.withLock { $0.append(report) }
        return true
    }

    func record(_ report: ModelReport) { keptModels.withLock { $0.append(report) } }

    /// Waits for as many reports on models.
    func models(_ count: Int) -> [ModelReport] {
        for _ in 0..<1000 where keptModels.withLock({ $0.count }) < count { usleep(10_000) }
        return keptModels.withLock { $0 }
    }

    func record(_ record: ConnectionRecord) { kept.withLock { $0.append(record) } }

    var records: [ConnectionRecord] { kept.withLock { $0 } }

    /// Waits for as many records.
    func records(_ count: Int) -> [ConnectionRecord] {
        for _ in 0..<1000 where records.count < count { usleep(10_000) }
        return records
    }
}

/// A server that answers with bytes of the test's choice.
final class ScriptedServer: Sendable {
    let port: UInt16
    private let channel: any Channel

    /// - Parameter answer: called with everything that a connection has sent since the last answer; nil waits for
    ///   more, and an answer that ends with `CLOSE` closes.
    init(_ answer: @escaping @Sendable (String) -> String?) throws {
        let box = Box()
        channel = try ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    box.count.withLock { $0 += 1 }
                    try channel.pipeline.syncOperations.addHandler(Handler(answer, box))
                }
            }
            .bind(host: "127.0.0.1", port: 0).wait()
        port = UInt16(channel.localAddress?.port ?? 0)
        self.box = box
    }

    private let box: Box

    deinit { try? channel.close().wait() }

    /// Everything that was sent to it.
    var received: String { box.text.withLock { $0 } }
    var connectionCount: Int { box.count.withLock { $0 } }

    private final class Box: Sendable {
        let text = Mutex("")
        let count = Mutex(0)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let answer: @Sendable (String) -> String?
        private let box: Box
        private var pending = ""

        init(_ answer: @escaping @Sendable (String) -> String?, _ box: Box) {
            self.answer = answer
            self.box = box
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: unwrapInboundIn(data))
            box.text.withLock { $0 += text }
            pending += text
            guard var reply = answer(pending) else { return }
            pending = ""
            let closes = reply.hasSuffix("CLOSE")
            if closes { reply.removeLast(5) }
            let channel = context.channel
            context.writeAndFlush(NIOAny(ByteBuffer(string: reply))).whenComplete { _ in
                if closes { channel.close(promise: nil) }
            }
        }
    }
}

/// A client that writes bytes and reads what comes.
struct RawClient: ~Copyable {
    private let descriptor: Int32

    /// - Parameter receiveBytes: how much the kernel keeps that was not read; 0 for what is usual.
    init(port: UInt16, timeoutSeconds: Int = 20, receiveBytes: Int32 = 0) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if receiveBytes > 0 {
            var bytes = receiveBytes
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, length) }
        }
        guard code == 0 else { throw POSIXError(.ECONNREFUSED) }
        var timeout = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }

    /// - Parameter descriptor: of a connection.
    init(owning descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// The same connection once more, for another thread.
    func again() throws -> Int32 {
        let copy = dup(descriptor)
        guard copy >= 0 else { throw POSIXError(.EMFILE) }
        return copy
    }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, numericCast(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// Has the end of the connection look like that of a program that was killed.
    func breakOff() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    }

    func endOutput() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Reads until a text has come, or the end.
    func read(until text: String? = nil) -> String {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            all.append(contentsOf: buffer[..<count])
            if let text, String(decoding: all, as: UTF8.self).contains(text) { break }
        }
        return String(decoding: all, as: UTF8.self)
    }
}
