package import BrokerLink
import Domain
package import Egress
import Synchronization

/// A name and the addresses that stand for it inside one sandbox.
package struct SyntheticName: Hashable, Sendable {
    package let name: HostName
    package let v4: IPAddress
    package let v6: IPAddress
}

/// Which address stands for which name inside one sandbox. A pair stays for as long as the sandbox lives: an address
/// that a program kept never comes to mean another name.
package final class SyntheticNames: Sendable {
    private struct State {
        var names: [HostName] = []
        var places: [HostName: Int] = [:]
    }

    private let state = Mutex(State())

    /// Of every 256 addresses the first and the last are left out: some programs take them for a network's own or
    /// for everyone's. The first 256 are the broker's.
    private static let usedOf256 = 254
    /// Names that there are addresses for.
    package static let capacity = 511 * usedOf256

    package init() {}

    /// The addresses of a name; new ones where it has none yet.
    package func addresses(of name: HostName, limits: BrokerLimits) throws(EgressRefusal) -> SyntheticName {
        let place: Int? = state.withLock { state in
            if let place = state.places[name] { return place }
            let place = state.names.count
            guard place < min(limits.names, Self.capacity) else { return nil }
            state.names.append(name)
            state.places[name] = place
            return place
        }
        guard let place else {
            throw EgressRefusal(
                RuleID("limit-names"),
                "\(name) gets no address: \(min(limits.names, Self.capacity)) names have one, and that is the limit",
                remedy: "A new run begins anew."
            )
        }
        return Self.synthetic(name, place)
    }

    /// The name that an address stands for; nil for every other address. An IPv4 address may come as a socket for
    /// both families shows it, mapped into IPv6.
    package func name(of address: IPAddress) -> HostName? {
        guard let place = Self.place(of: address) else { return nil }
        return state.withLock { state in state.names.indices.contains(place) ? state.names[place] : nil }
    }

    /// All names, in the order in which they got their addresses.
    package var all: [SyntheticName] {
        state.withLock { $0.names }.enumerated().map { Self.synthetic($0.element, $0.offset) }
    }

    private static func synthetic(_ name: HostName, _ place: Int) -> SyntheticName {
        let value = SandboxNetwork.v4First + UInt32((place / usedOf256 + 1) << 8 | place % usedOf256 + 1)
        return SyntheticName(
            name: name,
            v4: .v4(IPv4Address(value: value)),
            v6: .v6(IPv6Address(high: SandboxNetwork.v6High, low: UInt64(value)))
        )
    }

    /// An IPv6 address carries the IPv4 address that stands for the same name.
    private static func place(of address: IPAddress) -> Int? {
        guard SandboxNetwork.contains(address) else { return nil }
        let value: UInt32
        switch address.unmapped {
        case .v4(let v4): value = v4.value
        case .v6(let v6):
            guard let carried = UInt32(exactly: v6.low) else { return nil }
            value = carried
        }
        guard value >= SandboxNetwork.v4First else { return nil }
        let offset = Int(value - SandboxNetwork.v4First)
        let (group, within) = (offset >> 8, offset & 0xFF)
        guard (1...capacity / usedOf256).contains(group), (1...usedOf256).contains(within) else { return nil }
        return (group - 1) * usedOf256 + within - 1
    }
}
