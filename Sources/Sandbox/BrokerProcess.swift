import BrokerLink
import CLinux
import Files
import Glibc

/// A started broker and the link to it. It ends with this object at the latest.
final class BrokerProcess {
    let link: PacketLink
    private let processID: Int32
    private var isReaped = false

    /// - Parameter user: whom root's broker becomes; nil for an ordinary user's, which stays who it is.
    init(path: String, user: UInt32?) throws(SandboxError) {
        do {
            let (ours, theirs) = try PacketLink.pair()
            let null = Descriptor(owning: try SystemError.check("open", open("/dev/null", O_RDWR | O_CLOEXEC)))
            let words = ["bailey-broker"] + (user.map { ["\($0)"] } ?? [])
            let descriptors = [null.raw, null.raw, null.raw, theirs.descriptor]
            processID = try HelperProcess.spawn(path, words, descriptors)
            link = ours
        } catch {
            throw SandboxError(
                .setup,
                "start the broker \(path): \(error)",
                hint: "Run `bailey doctor`; bailey-broker must lie beside bailey."
            )
        }
    }

    deinit { end() }

    /// The last: whatever it still does, it does not any more.
    func end() {
        guard !isReaped else { return }
        isReaped = true
        kill(processID, SIGKILL)
        var status: Int32 = 0
        while waitpid(processID, &status, 0) < 0, errno == EINTR {}
    }

    /// Why a broker that is gone went, as far as the kernel tells.
    func ending() -> String {
        var status: Int32 = 0
        for _ in 0..<Self.waitsMax {
            let found = waitpid(processID, &status, WNOHANG)
            if found == processID {
                isReaped = true
                let signal = status & 0x7F
                if signal == SIGSYS { return "it made a call that only an intruder makes, and was ended" }
                return signal == 0 ? "it ended with code \(status >> 8 & 0xFF)" : "it was ended by signal \(signal)"
            }
            usleep(1000)
        }
        return "it closed its link"
    }

    /// A process whose link is closed is gone within a few milliseconds.
    private static let waitsMax = 50
}
