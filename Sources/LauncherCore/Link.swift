import CLinux
import Glibc

/// One end of the socket between the launcher's two halves. The plan goes in, and from root's outer half the sources,
/// operation by operation, while the inner half is building already.
///
/// Its end of file means that the outer half is gone.
struct Link {
    let descriptor: Int32

    /// Sends the plan's memory.
    func handPlan(_ memory: Int32) { hand(memory) }

    /// Sends the sources of an operation, or that they are not there, and closes them.
    func hand(_ slots: UnsafeMutablePointer<Int32>, _ count: Int) {
        for slot in 0..<count {
            hand(slots[slot])
            if slots[slot] >= 0 { close(slots[slot]) }
            slots[slot] = -1
        }
    }

    /// Waits for the plan's memory.
    func takePlan() throws(LaunchFailure) -> Int32 { try take() }

    /// Waits for the sources of the next operation.
    func take(_ slots: UnsafeMutablePointer<Int32>, _ count: Int) throws(LaunchFailure) {
        for slot in 0..<count { slots[slot] = try take() }
    }

    /// An inner half that is gone has said itself why.
    private func hand(_ content: Int32) {
        var mark: UInt8 = 1
        _ = bailey_send(descriptor, &mark, 1, content)
    }

    /// An outer half that is gone is nobody to tell.
    private func take() throws(LaunchFailure) -> Int32 {
        var mark: UInt8 = 0
        var content: Int32 = -1
        let count = bailey_receive(descriptor, &mark, 1, &content, 1)
        if count == 0 { bailey_exit(1) }
        guard count == 1 else { throw LaunchFailure(.awaitParent, code: errno) }
        return content
    }
}
