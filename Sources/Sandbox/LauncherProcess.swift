import CLinux
import Files
import Glibc
import LauncherCore

/// A started launcher: its process, the socket that it reports on, and the pipe that keeps it alive.
struct LauncherProcess: ~Copyable {
    let processID: Int32
    let status: Descriptor
    /// While this end is open the sandbox lives; the kernel closes it if we are killed.
    private let liveness: Descriptor

    /// - Parameters:
    ///   - streams: what the launcher gets as standard input, output and error.
    ///   - group: the list of members of the control group that it joins, open for writing.
    ///   - kept: descriptors that stay open as long as anything of the sandbox lives, such as locks.
    init(path: String, streams: [Int32], group: borrowing Descriptor, kept: [Int32]) throws(SandboxError) {
        do throws(SystemError) {
            let socket = try Self.pair(bailey_socketpair_packets)
            let pipe = try Self.pair(bailey_pipe)
            let theirs = streams + [socket.1, pipe.0, group.raw] + kept
            processID = try HelperProcess.spawn(path, ["bailey-launcher"], theirs)
            _ = close(socket.1)
            _ = close(pipe.0)
            status = Descriptor(owning: socket.0)
            liveness = Descriptor(owning: pipe.1)
        } catch {
            throw SandboxError(
                .launcher,
                "start the launcher \(path): \(error)",
                hint: "Run `bailey doctor`; bailey-launcher must lie beside bailey."
            )
        }
    }

    /// Hands the plan over; the launcher begins. One that has ended already has said why, which is there to receive.
    func begin(_ plan: LaunchPlan) throws(SandboxError) {
        do throws(SystemError) {
            let memory = try Self.sealed(plan.encoded())
            var go: UInt8 = 1
            _ = try SystemError.check("send", bailey_send(status.raw, &go, 1, memory.raw))
        } catch  where error.code == EPIPE {
            return
        } catch {
            throw SandboxError(.setup, "hand the plan to the launcher: \(error)")
        }
    }

    /// Lets the launcher go on after the terminal is set up.
    func proceed() {
        var go: UInt8 = 1
        _ = bailey_send(status.raw, &go, 1, -1)
    }

    /// The next message and the descriptor that came with it (-1 if none); nil at the end.
    func receive() -> (message: StatusMessage, descriptor: Int32)? {
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: StatusMessage.byteCount, alignment: 16)
        defer { buffer.deallocate() }
        var descriptor: Int32 = -1
        let count = bailey_receive(status.raw, buffer, StatusMessage.byteCount, &descriptor, 1)
        guard count > 0, let message = StatusMessage(UnsafeRawBufferPointer(start: buffer, count: count)) else {
            return nil
        }
        return (message, descriptor)
    }

    /// Reaps the launcher, which ends after its sandbox.
    func reap() { HelperProcess.reap(processID) }

    private static func sealed(_ bytes: [UInt8]) throws(SystemError) -> Descriptor {
        let raw = try SystemError.check("memfd_create", bailey_memfd_create("bailey-plan", 0))
        let memory = Descriptor(owning: raw)
        try FileContent.write(bytes, to: memory.raw)
        _ = try SystemError.check("seal", bailey_memfd_seal(memory.raw))
        return memory
    }

    private static func pair(
        _ make: (UnsafeMutablePointer<Int32>) -> Int32
    ) throws(SystemError) -> (Int32, Int32) {
        var ends: [Int32] = [-1, -1]
        _ = try SystemError.check("socketpair", make(&ends))
        return (ends[0], ends[1])
    }
}

/// Starts the programs that lie beside `bailey`.
enum HelperProcess {
    /// - Parameters:
    ///   - words: the name that it gets, then its arguments.
    ///   - descriptors: what it finds as its descriptors 0, 1 and so on; it has no others.
    static func spawn(
        _ path: String,
        _ words: [String],
        _ descriptors: [Int32]
    ) throws(SystemError) -> Int32 {
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        // It finds nothing of our environment; a crash must not print memory.
        var variables: [UnsafeMutablePointer<CChar>?] = [strdup("SWIFT_BACKTRACE=enable=no"), nil]
        defer {
            for text in arguments + variables { free(text) }
        }
        let process = bailey_spawn(path, &arguments, &variables, descriptors, Int32(descriptors.count))
        return try SystemError.check("spawn", process, path: path)
    }

    /// Ends one, whatever it does, and waits until it is gone.
    ///
    /// - Returns: its status, as waitpid(2) has it.
    static func end(_ process: Int32) -> Int32 {
        kill(process, SIGKILL)
        return reap(process)
    }

    /// Waits until one is gone that ends by itself.
    @discardableResult
    static func reap(_ process: Int32) -> Int32 {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status
    }
}
