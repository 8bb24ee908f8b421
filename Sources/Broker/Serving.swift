package import BrokerLink
import Egress
import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// Everything that serves one sandbox, put together: listeners, doors, names, the way outside, and what takes requests
/// over.
package final class Serving: Sendable {
    private let limits: BrokerLimits
    private let group: MultiThreadedEventLoopGroup
    private let relay: Relay
    private let runAuthority: RunAuthority
    private let forwarder: RequestForwarder
    private let responder: NamesResponder
    private let doors: Doors
    private let nameSockets: NameSockets
    private let published: PublishedDoor
    private let settings: SettingsStore
    private let logins: LoginStore
    /// What was handed over before it began.
    private let listeners = Mutex<[HandedListener]>([])

    /// Connections wait for the network and not for each other; two threads share them.
    private static let threads = 2

    /// Who was told to renew a login gets so long for it at the end.
    private static let loginSeconds = 8.0

    /// - Parameter tell: what the supervisor is told beside records.
    package init(
        settings: SettingsStore,
        ledger: any ConnectionLedger & ModelLedger,
        tell: @escaping LoginStore.Tell = { _ in }
    ) throws {
        let began = NIODeadline.now()
        self.settings = settings
        let names = SyntheticNames()
        let dialer = Dialer(settings: settings)
        limits = settings.current.limits
        group = MultiThreadedEventLoopGroup(numberOfThreads: Self.threads)
        logins = LoginStore(SecretStore(), settings: settings, group: group, unixSeconds: Self.unixSeconds, tell: tell)
        relay = try Relay()
        runAuthority = try RunAuthority(
            policy: settings.current.policy,
            certificatesMax: limits.certificates,
            unixSeconds: Self.unixSeconds
        )
        forwarder = RequestForwarder(
            settings: settings,
            authority: runAuthority,
            dialing: dialer,
            ledger: ledger,
            values: logins,
            models: ModelDesk(settings: settings, ledger: ledger),
            began: began
        )
        let keeper = Doorkeeper(
            settings: settings,
            judge: Judge(isForge: { $1.isForge($0) }),
            relay: relay,
            dialing: dialer,
            forwarding: forwarder,
            ledger: ledger,
            began: began
        )
        published = PublishedDoor(keeper)
        doors = Doors(keeper, group: group) { names.name(of: $0) }
        let (served, most) = (doors, limits.listeners)
        let nameSockets = NameSockets(most: most, on: group.next()) { listener in
            served.serve(listener.descriptor, as: .transparent)
        }
        self.nameSockets = nameSockets
        responder = NamesResponder(
            settings: settings,
            names: names,
            ledger: ledger,
            seconds: { keeper.now },
            onName: { name, ports in nameSockets.open(name, ports) }
        )
        let (responder, loop) = (responder, group.next())
        settings.onReplace { _ in _ = responder.announceAgain(on: loop) }
        let logins = logins
        settings.onReplace { logins.keep($0.secrets) }
    }

    /// The certificate of the run's own authority, PEM.
    package var authority: String { runAuthority.pem }

    /// A socket to serve on; it is this object's to close. Before ``begin()`` nobody connects to it.
    package func take(_ listener: HandedListener) throws { listeners.withLock { $0.append(listener) } }

    /// By this, sockets inside are had later: listeners when a name gets its address, and connections to a published
    /// port.
    package func take(later: LaterListeners) {
        nameSockets.take { try later.make($0) }
        published.take(later)
    }

    /// The value of one of the settings' secrets, by its place there; a later one replaces it.
    ///
    /// - Parameter memory: sealed; it stays the caller's.
    package func take(secret place: UInt16, memory: Int32) throws(LinkError) {
        let held = settings.current.secrets
        guard held.indices.contains(Int(place)) else {
            throw LinkError("take the secret \(place): the settings name \(held.count)")
        }
        try SealedMemory.withBytes(memory, bytesMax: SecretValue.bytesMax) { bytes in
            logins.put(bytes, for: held[Int(place)], at: place)
        }
    }

    /// All that there is at the start was handed over.
    package func begin() throws {
        let handed = listeners.withLock { listeners in
            defer { listeners = [] }
            return listeners
        }
        nameSockets.share(handed.filter { $0.request.role == .transparent }.map(\.request.port))
        for listener in handed where listener.request.role != .published { try serve(listener) }
        published.serve(handed.filter { $0.request.role == .published })
    }

    /// The run is over: connections are broken off, and recorded before this returns. The event loops go with the
    /// process: SwiftNIO ends them by way of libdispatch, which looks at files of /proc and traps without them.
    package func end() {
        relay.stop()
        forwarder.end()
        logins.drain(seconds: Self.loginSeconds)
    }

    private func serve(_ listener: HandedListener) throws {
        let (socket, loop) = (listener.descriptor, group.next())
        switch listener.request.role {
        case .datagramNames: _ = try NamesDoor.serveDatagrams(socket, responder, on: loop).wait()
        case .streamNames: _ = try NamesDoor.serveStreams(socket, responder, limits: limits, on: loop).wait()
        case .proxy, .socks, .transparent, .published, .gateway: doors.serve(socket, as: listener.request.role)
        }
    }

    private static func unixSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
