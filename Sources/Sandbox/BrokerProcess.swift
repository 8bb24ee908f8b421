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
            let words = [BrokerProgram.name] + (user.map { ["\($0)"] } ?? [])
            let descriptors = [null.raw, null.raw, null.raw, theirs.descriptor]
            processID = try withExtendedLifetime(theirs) { try HelperProcess.spawn(path, words, descriptors) }
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
        _ = HelperProcess.end(processID)
    }

    /// The last of one that nobody can reach any more: the kernel takes it apart while others go on.
    func leave() {
        guard !isReaped else { return }
        isReaped = true
        kill(processID, SIGKILL)
        LeavingSandboxes.add(process: processID)
    }

    /// Why a broker that is gone went, as far as the kernel tells.
    func ending() -> String {
        guard let status = reaped() else { return "it closed its link" }
        let signal = status & 0x7F
        if signal == SIGSYS { return "it made a call that only an intruder makes, and was ended" }
        return signal == 0 ? "it ended with code \(status >> 8 & 0xFF)" : "it was ended by signal \(signal)"
    }

    /// How it ended; nil for one that has not, shortly after it closed its link.
    private func reaped() -> Int32? {
        var status: Int32 = 0
        for _ in 0..<Self.waitsMax {
            if waitpid(processID, &status, WNOHANG) == processID {
                isReaped = true
                return status
            }
            usleep(1000)
        }
        return nil
    }

    /// A process whose link is closed is gone within a few milliseconds.
    private static let waitsMax = 50
}

/// Has the broker show its own walls, for `bailey doctor`.
package enum BrokerProbe {
    private static let bytesMax = 4096
    private static let waitMilliseconds: Int32 = 10_000

    /// What the broker says of its walls, and whether all that it needs hold.
    package static func run(path: String) throws -> (isConfined: Bool, text: String) {
        var ends: [Int32] = [-1, -1]
        _ = try SystemError.check("pipe", bailey_pipe(&ends))
        let output = Descriptor(owning: ends[0])
        let inner = Descriptor(owning: ends[1])
        let null = Descriptor(owning: try SystemError.check("open", open("/dev/null", O_RDWR | O_CLOEXEC)))
        let words = [BrokerProgram.name, BrokerProgram.checkWord]
        let process = try HelperProcess.spawn(path, words, [null.raw, inner.raw, null.raw])
        _ = close(inner.release())
        var bytes: [UInt8] = []
        var wait = pollfd(fd: output.raw, events: Int16(POLLIN), revents: 0)
        while bytes.count < bytesMax, poll(&wait, 1, waitMilliseconds) == 1 {
            var part = [UInt8](repeating: 0, count: bytesMax - bytes.count)
            let count = read(output.raw, &part, part.count)
            guard count > 0 else { break }
            bytes += part[..<count]
        }
        // One that does not end by itself has failed.
        var status: Int32 = 0
        for _ in 0..<waitMilliseconds {
            if waitpid(process, &status, WNOHANG) != 0 { return answer(bytes, status) }
            usleep(1000)
        }
        return answer(bytes, HelperProcess.end(process))
    }

    private static func answer(_ bytes: [UInt8], _ status: Int32) -> (isConfined: Bool, text: String) {
        let text = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
        return (status == 0 && text.hasPrefix("confined: "), text)
    }
}
