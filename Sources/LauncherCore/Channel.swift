import CLinux
import Glibc

/// The descriptors that the supervisor hands to the launcher, by number.
package enum LaunchDescriptor {
    /// A sequenced-packet socket: the plan's sealed memfd in, ``StatusMessage`` out.
    package static let status: Int32 = 3
    /// The read end of a pipe that only the supervisor can write to: its end of file means that the supervisor is gone.
    package static let liveness: Int32 = 4
    /// The control group's list of members, open for writing; or /dev/null where no group holds the memory.
    package static let group: Int32 = 5
    /// This and those after it are held open and never used: what the supervisor wants to stay locked while the sandbox
    /// lives.
    package static let firstKept: Int32 = 6
    /// The first number after the last that may be kept.
    package static let keptEnd: Int32 = 8
}

/// Sends status messages from a buffer that was made before any namespace.
struct Channel {
    private let buffer: UnsafeMutableRawPointer

    init(buffer: UnsafeMutableRawPointer) { self.buffer = buffer }

    /// Waits until the supervisor lets us go on; false if it is gone.
    func awaitProceed() -> Bool {
        var go: UInt8 = 0
        var count = read(LaunchDescriptor.status, &go, 1)
        while count < 0, errno == EINTR { count = read(LaunchDescriptor.status, &go, 1) }
        return count == 1
    }

    func report(_ failure: LaunchFailure) {
        StatusMessage.encode(
            .failed,
            step: failure.step,
            code: failure.code,
            path: failure.path,
            into: buffer
        )
        send()
    }

    func report(_ kind: StatusMessage.Kind, number: Int64 = 0, descriptor: Int32 = -1) {
        StatusMessage.encode(kind, number: number, into: buffer)
        send(descriptor)
    }

    /// Hands the listener over, or says why there is none. What traps calls must never trap this one.
    func reportObservation(_ listener: Int32, code: Int32) {
        StatusMessage.encode(.observing, code: code, into: buffer)
        send(listener)
    }

    func reportExit(status: Int32, cpuMicroseconds: UInt64, peakKibibytes: UInt64) {
        StatusMessage.encode(
            .exited,
            number: Int64(status),
            cpuMicroseconds: cpuMicroseconds,
            peakKibibytes: peakKibibytes,
            into: buffer
        )
        send()
    }

    /// A supervisor that is gone is noticed elsewhere; there is nobody to tell.
    private func send(_ descriptor: Int32 = -1) {
        _ = bailey_send(LaunchDescriptor.status, buffer, StatusMessage.byteCount, descriptor)
    }
}
