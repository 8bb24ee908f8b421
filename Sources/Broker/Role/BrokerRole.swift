package import BrokerLink
import CLinux
import Glibc

/// What the broker's main thread does: it takes the supervisor's orders, and passes on what there is to tell.
final class BrokerRole {
    private let link: PacketLink
    private let walls: [String]
    private let ledger: LinkLedger
    private var store: SettingsStore?
    private var serving: Serving?
    private var hasBegun = false

    /// What the supervisor makes of one sandbox; more is a mistake.
    private static let listenersMax = 256
    private var listeners = 0

    /// The process is confined, and walled by these.
    init(link: PacketLink, walls: [String]) throws {
        self.link = link
        self.walls = walls
        ledger = try LinkLedger(link)
    }

    /// Returns when the run is over.
    func run() throws {
        while true {
            let isBehind = try ledger.send()
            let events = Int16(POLLIN) | (isBehind ? Int16(POLLOUT) : 0)
            var waits = [
                pollfd(fd: link.descriptor, events: events, revents: 0),
                pollfd(fd: ledger.wake, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&waits, 2, -1) >= 0 || errno == EINTR else { throw LinkError("wait for orders") }
            if waits[1].revents != 0 { ledger.clearWake() }
            if waits[0].revents & ~Int16(POLLOUT) != 0, try !takeOrder() { return }
        }
    }

    /// False at the end.
    private func takeOrder() throws -> Bool {
        switch try link.receive(bytesMax: BrokerOrder.bytesMax, waits: false) {
        case .nothing: return true
        case .end: return false
        case .packet(let packet):
            guard let order = BrokerOrder(packet.bytes), order.bringsDescriptor == (packet.descriptor >= 0) else {
                if packet.descriptor >= 0 { close(packet.descriptor) }
                throw LinkError("take an order: it is none")
            }
            return try perform(order, packet.descriptor)
        }
    }

    private func perform(_ order: BrokerOrder, _ descriptor: Int32) throws -> Bool {
        switch order {
        case .settings:
            defer { close(descriptor) }
            try take(try SettingsDocument.read(SealedMemory.read(descriptor, bytesMax: SettingsDocument.bytesMax)))
        case .listener(let request):
            listeners += 1
            guard let serving, listeners <= Self.listenersMax else {
                close(descriptor)
                throw LinkError("take a listener: there are no settings yet, or too many listeners")
            }
            try serving.take(HandedListener(request: request, descriptor: descriptor))
        case .maker:
            guard let serving else {
                close(descriptor)
                throw LinkError("take the maker of listeners: there are no settings yet")
            }
            serving.take(later: LaterListeners(maker: PacketLink(owning: descriptor)))
        case .secret(let place):
            defer { close(descriptor) }
            guard let serving else { throw LinkError("take the secret \(place): there are no settings yet") }
            try serving.take(secret: place, memory: descriptor)
        case .begin:
            guard let serving, !hasBegun else { throw LinkError("begin: there are no settings yet, or it has begun") }
            hasBegun = true
            try serving.begin()
            ledger.tell(.ready(walls: walls))
        case .end:
            serving?.end()
            try ledger.finish()
            _ = try link.send(BrokerReport.finished.bytes, waits: true)
            return false
        }
        return true
    }

    /// The first settings make what serves; later ones replace them whole.
    private func take(_ settings: BrokerSettings) throws {
        var settings = settings
        // Whoever runs out of descriptors does not get what it is told any more.
        settings.limits = settings.limits.fitted(descriptors: Confinement.descriptors)
        if let store, let serving {
            store.replace(settings)
            ledger.tell(.settled(authority: serving.authority))
            return
        }
        let store = SettingsStore(settings)
        let serving = try Serving(settings: store, ledger: ledger, tell: { [ledger] in ledger.tell($0) })
        self.store = store
        self.serving = serving
        ledger.tell(.settled(authority: serving.authority))
    }
}

/// A listening socket of the sandbox's, and what it is for.
package struct HandedListener: Sendable {
    package let request: ListenerRequest
    /// Whoever takes it closes it.
    package let descriptor: Int32
}
