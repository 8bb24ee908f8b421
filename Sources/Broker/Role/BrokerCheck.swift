import BrokerLink
import CLinux
import Glibc
import NIOCore
import NIOPosix

/// A look at the broker's own walls, for `bailey doctor`: the process is confined as for a run, and then tries what it
/// must not be able to do.
enum BrokerCheck {
    /// The user that root's broker becomes for the look: the last of those that runs lease.
    private static let user: UInt32 = 0x7000_0FFF

    /// - Parameter words: nothing, or the number of a call that must end the process.
    static func main(_ words: [String]) -> Never {
        do {
            // The supervisor of a look is the process itself.
            let (ours, theirs) = try PacketLink.pair()
            let isRoot = getuid() == 0
            let walls = try Confinement(user: isRoot ? user : nil, link: high(ours)).enter()
            withExtendedLifetime((ours, theirs)) {}
            if let word = words.first {
                guard let which = Int32(word), (0..<BAILEY_DEADLY_COUNT).contains(which) else { bailey_exit(2) }
                _ = bailey_probe_deadly(which)
                say("call \(which) came back\n")
                bailey_exit(1)
            }
            try serve()
            say("confined: \((walls + ["serves"]).joined(separator: ", "))\n")
            bailey_exit(0)
        } catch {
            say("\(error)\n")
            bailey_exit(1)
        }
    }

    /// It goes with the process: ending it in order would start threads of another library.
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    /// What is left must be enough: a thread with its events, and a connection.
    private static func serve() throws {
        // A spliced connection is taken from its channel by a copy of its descriptor.
        let copy = fcntl(1, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0, close(copy) == 0 else { throw LinkError("copy a descriptor") }
        let target = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
        let dialled = ClientBootstrap(group: group).connectTimeout(.seconds(5)).connect(to: target)
        do {
            try dialled.wait().close().wait()
        } catch let error as IOError where error.errnoCode == ECONNREFUSED {
            // Nobody listens there; asking was not refused.
        }
    }

    /// The confinement closes what lies above its link, so this one lies above the other end.
    private static func high(_ link: PacketLink) throws -> Int32 {
        let number = dup2(link.descriptor, 63)
        guard number >= 0 else { throw LinkError("move a descriptor") }
        return number
    }

    private static func say(_ text: String) { _ = text.withCString { write(1, $0, strlen($0)) } }
}
