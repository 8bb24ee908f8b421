import CLinux
import Glibc

/// A connected socket of a splice and what the kernel last said of it. It stays on the relay's thread.
struct SpliceSocket {
    let descriptor: Int32
    /// There may be something to read. Cleared when the kernel says that there is nothing.
    var isReadable = true
    /// There may be room to write.
    var isWritable = true
    /// The other end will say nothing more after what is there, so the end must be read, too.
    var isHungUp = false

    enum Moved: Equatable {
        case bytes(Int)
        case blocked
        case end
        case failed(Int32)
    }

    mutating func note(_ events: UInt32) {
        if events & BAILEY_EVENT_READABLE != 0 { isReadable = true }
        if events & BAILEY_EVENT_WRITABLE != 0 { isWritable = true }
        if events & BAILEY_EVENT_HUNG_UP != 0 { isHungUp = true }
    }

    /// Reads once. A short read means that nothing is left, unless an end is due.
    mutating func receive(into buffer: UnsafeMutableRawBufferPointer) -> Moved {
        while true {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 {
                if count < buffer.count && !isHungUp { isReadable = false }
                return .bytes(count)
            }
            if count == 0 { return .end }
            if errno == EINTR { continue }
            guard errno == EAGAIN else { return .failed(errno) }
            isReadable = false
            return .blocked
        }
    }

    /// Writes once; what did not fit is the caller's.
    mutating func send(_ bytes: UnsafeRawBufferPointer) -> Moved {
        while true {
            let count = Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count >= 0 {
                if count < bytes.count { isWritable = false }
                return .bytes(count)
            }
            if errno == EINTR { continue }
            guard errno == EAGAIN else { return .failed(errno) }
            isWritable = false
            return .blocked
        }
    }

    /// Says that nothing more will be sent.
    func finish() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    /// - Parameter reset: makes the other end see that it was broken off and not ended.
    func close(reset: Bool) {
        if reset {
            var linger = linger(l_onoff: 1, l_linger: 0)
            _ = setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        }
        _ = Glibc.close(descriptor)
    }
}
