import BrokerLink
import CLinux
import Files
import Glibc
import LauncherCore

/// A process in the sandbox's network that makes sockets for the broker. It ends with this object at the
/// latest.
final class MakerProcess {
    private let processID: Int32
    private var link: PacketLink?

    /// - Parameter socket: any socket of the sandbox's; the process finds the network by it.
    init(path: String, socket: Int32) throws {
        let (theirs, its) = try PacketLink.pair()
        let null = Descriptor(owning: try SystemError.check("open", open("/dev/null", O_RDWR | O_CLOEXEC)))
        // Root's sandboxes have one user inside, ordinary ones the caller.
        let user = getuid() == 0 ? HostIdentity.insideIDOfRoot : getuid()
        let words = ["bailey-launcher", ListenerMaker.word, "\(user)"]
        let descriptors = [null.raw, null.raw, null.raw, its.descriptor, socket]
        processID = try withExtendedLifetime(its) { try HelperProcess.spawn(path, words, descriptors) }
        link = theirs
    }

    /// The broker's end, to be handed over; we keep none.
    func takeLink() throws(LinkError) -> PacketLink {
        guard let taken = link else { throw LinkError("take the maker's link: it was taken") }
        link = nil
        return taken
    }

    deinit { _ = HelperProcess.end(processID) }
}
