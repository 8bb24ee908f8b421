import CLinux
import Glibc

/// The network that lies inside the sandbox: addresses that exist nowhere else, and sockets that are handed out.
///
/// It is made while the init may still do so, and before any foreign code runs. A socket stays in the namespace that it
/// was made in, so whoever holds it outside serves the sandbox and nobody else.
struct OwnNetwork {
    let plan: LaunchPlanView
    let channel: Channel

    func make() throws(LaunchFailure) {
        for row in 0..<plan.routeCount {
            let route = plan.route(row)
            let family = Self.family(route.addressBytes)
            guard bailey_route_local(family, route.address, route.prefixBits) == 0 || isWithoutV6(family) else {
                throw LaunchFailure(.network, code: errno)
            }
        }
        for row in 0..<plan.listenerCount {
            let listener = try listen(plan.listener(row))
            channel.report(.listening, number: Int64(row), descriptor: listener)
            // The init and the command never hold it.
            close(listener)
        }
    }

    private func listen(_ listener: ListenerView) throws(LaunchFailure) -> Int32 {
        let family = Self.family(listener.addressBytes)
        let kind: Int32 = listener.isDatagram ? 1 : 0
        var socket = bailey_listen(family, listener.address, listener.port, kind)
        // On a kernel without IPv6 its wildcard is that of IPv4; both are zeros.
        if socket < 0, isWithoutV6(family) {
            socket = bailey_listen(BAILEY_FAMILY_V4, listener.address, listener.port, kind)
        }
        guard socket >= 0 else { throw LaunchFailure(.network, code: errno) }
        return socket
    }

    /// Whether the last call failed because the kernel has no IPv6, or has it switched off (EACCES, for a route).
    private func isWithoutV6(_ family: Int32) -> Bool {
        family == BAILEY_FAMILY_V6
            && (errno == EAFNOSUPPORT || errno == EOPNOTSUPP || errno == EADDRNOTAVAIL || errno == EACCES)
    }

    private static func family(_ addressBytes: Int) -> Int32 { addressBytes == 4 ? BAILEY_FAMILY_V4 : BAILEY_FAMILY_V6 }
}
