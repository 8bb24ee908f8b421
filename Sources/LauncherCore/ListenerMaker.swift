import CLinux
import Glibc

/// The launcher's other role: a process in the network namespace of a sandbox that lives, which makes sockets there and
/// hands them to the broker: listening ones when a name gets its address, and such that are connected to a port that
/// the run publishes.
///
/// It stays outside of the sandbox's processes, so that nothing inside can end it, and holds no right there but to
/// listen on every port: it binds for streams alone, and connects to loopback.
package enum ListenerMaker {
    package enum Descriptor {
        /// Requests in, sockets out.
        package static let link: Int32 = 3
        /// Any socket of the sandbox's: it says which namespace is meant.
        package static let socket: Int32 = 4
    }

    /// The first argument in this role; the second is the sandbox's user inside, the third how many sockets are made
    /// at most.
    package static let word = "listen"
    /// A role, a port and 4 or 16 bytes of address, as the broker's link writes them.
    package static let requestBytesMax = 19
    /// The role that asks for a connection to the sandbox's loopback; every other asks for a listener.
    private static let published: UInt8 = 6

    static func main(_ words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Never {
        guard let role = words[1], strcmp(role, constant("listen")) == 0, let number = words[2], let most = words[3],
            bailey_is_packet_link(Descriptor.link) == 1
        else { bailey_exit(2) }
        let user = UInt32(truncatingIfNeeded: strtoul(number, nil, 10))
        guard enter(user) else { bailey_exit(1) }
        serve(strtoul(most, nil, 10))
    }

    /// Joins the namespaces, becomes the sandbox's user and gives up the rest.
    private static func enter(_ user: UInt32) -> Bool {
        let isRoot = getuid() == 0
        let network = bailey_socket_namespace(Descriptor.socket)
        guard network >= 0 else { return false }
        let owner = bailey_owner_namespace(network)
        guard owner >= 0, bailey_join(owner, BAILEY_JOIN_USER) == 0, bailey_join(network, BAILEY_JOIN_NETWORK) == 0
        else { return false }
        guard bailey_close_range(UInt32(Descriptor.socket), UInt32.max, 0) == 0, chdir("/") == 0 else { return false }
        guard user != 0, bailey_set_ids(user, user, isRoot ? 1 : 0) == 0 || (getuid() == user) else { return false }
        return bailey_keep_low_ports() == 0 && bailey_no_new_privileges() == 0 && bailey_not_dumpable() == 0
            && bailey_die_with_parent() == 0 && bailey_poll_hangup(Descriptor.link) == 0
            && bailey_landlock_close(1) == 0
    }

    /// Answers each request with 0 and the socket, or with an errno. Ends with the broker.
    ///
    /// - Parameter most: listeners that are made; ENFILE says that there are so many.
    private static func serve(_ most: UInt) -> Never {
        var left = most
        var request = [UInt8](repeating: 0, count: requestBytesMax)
        // From here on nothing is allocated.
        guard bailey_maker_filter() == 0 else { bailey_exit(1) }
        while true {
            var stray: Int32 = -1
            let count = bailey_receive(Descriptor.link, &request, requestBytesMax, &stray, 1)
            if stray >= 0 { close(stray) }
            guard count > 0 else { bailey_exit(count == 0 ? 0 : 1) }
            let port = UInt32(request[1]) << 8 | UInt32(request[2])
            var answer = UInt8(truncatingIfNeeded: EINVAL)
            var made: Int32 = -1
            let isConnection = request[0] == published
            if left == 0, !isConnection {
                answer = UInt8(truncatingIfNeeded: ENFILE)
            } else if count == 7 || count == requestBytesMax, port > 0 {
                let family = count == 7 ? BAILEY_FAMILY_V4 : BAILEY_FAMILY_V6
                if isConnection {
                    made = bailey_connect_loopback(family, port)
                } else {
                    made = request.withUnsafeBufferPointer { bytes in
                        bytes.baseAddress.map { bailey_listen(family, $0 + 3, port, 0) } ?? -1
                    }
                }
                answer = made >= 0 ? 0 : UInt8(truncatingIfNeeded: errno)
                // A connection ends; a listener stays.
                if made >= 0, !isConnection { left -= 1 }
            }
            guard bailey_send(Descriptor.link, &answer, 1, made) == 0 else { bailey_exit(1) }
            if made >= 0 { close(made) }
        }
    }
}
