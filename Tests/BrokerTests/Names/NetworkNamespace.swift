import Dispatch
import Glibc
import NIOCore
import Synchronization
import TestSupport

/// A network of its own with nothing but what a test puts there. Needs root: sockets of several namespaces live in one
/// process here, which an ordinary user's process cannot have.
final class NetworkNamespace: Sendable {
    static let isPossible = geteuid() == 0

    struct Failure: Error {
        let what: String
        let code = errno
    }

    private static let newNetwork: CInt = 0x4000_0000
    private let descriptor: CInt

    init() throws {
        let made = try Self.onThread {
            guard Self.call("unshare", [Self.newNetwork]) == 0 else { throw Failure(what: "unshare") }
            return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        }
        guard made >= 0 else { throw Failure(what: "open") }
        descriptor = made
    }

    deinit { close(descriptor) }

    var path: String { "/proc/\(getpid())/fd/\(descriptor)" }

    /// Runs a program inside, with a `resolv.conf` of its own where one is given.
    @discardableResult
    func run(_ words: [String], resolver: String? = nil, seconds: Double = 60) throws -> ProcessResult {
        let mounted =
            "mount -t tmpfs none /mnt && printf '%s\\n' \"$0\" > /mnt/r && "
            + "mount --bind /mnt/r \"$(readlink -f /etc/resolv.conf)\" && exec \"$@\""
        let inside = resolver.map { ["unshare", "-m", "sh", "-c", mounted, $0] + words } ?? words
        return try ProcessRunner.run(
            "/usr/bin/nsenter",
            arguments: ["--net=" + path, "--"] + inside,
            timeoutSeconds: seconds
        )
    }

    /// Runs commands of `ip`, one a line.
    func ip(_ lines: String...) throws {
        for line in lines {
            let words = line.split(separator: " ").map(String.init)
            let result = try run(["ip"] + words)
            guard result.status == 0 else { throw Failure(what: line + ": " + result.stderr) }
        }
    }

    /// Lets sockets have addresses that are not its own, as load balancers do.
    func allowForeignAddresses() throws {
        let written = "echo 1 > /proc/sys/net/ipv4/ip_nonlocal_bind"
        let result = try run(["sh", "-c", written])
        guard result.status == 0 else { throw Failure(what: written + ": " + result.stderr) }
    }

    /// A bound socket in it.
    func socket(_ type: CInt, _ address: String, _ port: UInt16) throws -> CInt {
        try Self.onThread { [descriptor] in
            guard Self.call("setns", [descriptor, Self.newNetwork]) == 0 else { throw Failure(what: "setns") }
            let socket = try Plain.bound(type, address, port)
            if type == Int32(SOCK_STREAM.rawValue) { listen(socket, 64) }
            return socket
        }
    }

    /// Has a loop make its sockets in it, for good.
    func enter(_ loop: any EventLoop) async throws {
        try await loop.submit { [descriptor] in
            guard Self.call("setns", [descriptor, Self.newNetwork]) == 0 else { throw Failure(what: "setns") }
        }.get()
    }

    private static func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value {
        let result = Mutex<Result<Value, any Error>?>(nil)
        let done = DispatchSemaphore(value: 0)
        TestThread.start {
            let made = Result { try body() }
            result.withLock { $0 = made }
            done.signal()
        }
        done.wait()
        guard let made = result.withLock({ $0 }) else { throw Failure(what: "run") }
        return try made.get()
    }

    /// Calls of the C library that its Swift module does not show.
    private static func call(_ name: String, _ arguments: [CInt]) -> CInt {
        guard let symbol = dlsym(nil, name) else { return -1 }
        if arguments.count == 1 { return unsafeBitCast(symbol, to: (@convention(c) (CInt) -> CInt).self)(arguments[0]) }
        return unsafeBitCast(symbol, to: (@convention(c) (CInt, CInt) -> CInt).self)(arguments[0], arguments[1])
    }
}
