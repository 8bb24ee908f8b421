package import Foundation

/// Runs a program to its end with a deadline, and returns what it wrote.
///
/// The child gets a process group of its own, no descriptor but the three standard ones, and only the environment that
/// is passed. It blocks the calling thread.
package enum ProcessRunner {
    /// Bytes kept of each stream; what comes after is read and thrown away, so that the child never blocks on us.
    package static let streamBytesMax = 16 << 20
    /// Descriptors below this are closed in the child: more than any test holds open at once.
    static let descriptorsMax: Int32 = 256
    /// How long a stray grandchild may hold the pipes open after the child has ended.
    static let strayWriterSeconds = 2.0

    /// Runs `path` with `arguments` (argument zero is added).
    ///
    /// - Parameters:
    ///   - environment: the whole environment of the child; nil inherits the caller's.
    ///   - standardInput: bytes to feed; nil connects `/dev/null`.
    ///   - timeoutSeconds: after this the child's whole process group is killed.
    package static func run(
        _ path: String,
        arguments: [String] = [],
        environment: [String: String]? = nil,
        currentDirectory: String? = nil,
        standardInput: Data? = nil,
        timeoutSeconds: Double = 60
    ) throws -> ProcessResult {
        let deadline = monotonicSeconds() + timeoutSeconds
        let input = try inputFile(standardInput)
        let output = try pipeEnds()
        let error = try pipeEnds()
        defer { for descriptor in [input, output.read, error.read] { close(descriptor) } }
        let child: pid_t
        do {
            defer { for descriptor in [output.write, error.write] { close(descriptor) } }
            child = try spawn(
                path,
                arguments: arguments,
                environment: environment ?? ProcessInfo.processInfo.environment,
                currentDirectory: currentDirectory,
                standardStreams: [input, output.write, error.write]
            )
        }
        return collect(child, outputs: [output.read, error.read], deadline: deadline)
    }

    private static func spawn(
        _ path: String,
        arguments: [String],
        environment: [String: String],
        currentDirectory: String?,
        standardStreams: [Int32]
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, source) in standardStreams.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, source, Int32(target))
        }
        for descriptor in 3..<descriptorsMax { posix_spawn_file_actions_addclose(&actions, descriptor) }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        posix_spawnattr_setflags(&attributes, Int16(flags))

        // The spawn call that changes directory is not visible to Swift, so `env` does it.
        let program = currentDirectory == nil ? path : "/usr/bin/env"
        let words = (currentDirectory.map { ["env", "--chdir=" + $0] } ?? []) + [path] + arguments
        var argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] =
            environment.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, program, &actions, &attributes, &argv, &envp)
        guard code == 0 else { throw failure("start \(path)", code) }
        return child
    }

    /// Reads both pipes until they end, and the child until it has ended, or the deadline.
    private static func collect(_ child: pid_t, outputs: [Int32], deadline: Double) -> ProcessResult {
        var result = ProcessResult()
        var streams: [[UInt8]] = [[], []]
        var open = outputs.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        var waitStatus: Int32 = 0
        var ended = false
        var readUntil = deadline
        while !ended || open.contains(where: { $0.fd >= 0 }) {
            if !ended, waitpid(child, &waitStatus, WNOHANG) == child {
                ended = true
                readUntil = min(deadline, monotonicSeconds() + strayWriterSeconds)
            }
            if monotonicSeconds() >= readUntil {
                if ended { break }
                kill(-child, SIGKILL)
                result.timedOut = true
                waitpid(child, &waitStatus, 0)
                ended = true
                readUntil = monotonicSeconds() + strayWriterSeconds
            }
            let waiting = open.contains { $0.fd >= 0 }
            guard poll(&open, nfds_t(open.count), waiting ? 20 : 1) > 0 else { continue }
            for index in open.indices where open[index].fd >= 0 && open[index].revents != 0 {
                if !readSome(open[index].fd, into: &streams[index]) { open[index].fd = -1 }
            }
        }
        result.standardOutput = streams[0]
        result.standardError = streams[1]
        let signal = waitStatus & 0x7f
        result.signal = signal == 0 ? nil : signal
        result.status = signal == 0 ? (waitStatus >> 8) & 0xff : 128 + signal
        return result
    }

    private static func readSome(_ descriptor: Int32, into stream: inout [UInt8]) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return count < 0 && errno == EINTR }
        stream.append(contentsOf: buffer.prefix(min(count, streamBytesMax - stream.count)))
        return true
    }

    /// A nameless file holding the input: unlike a pipe it cannot block either side.
    private static func inputFile(_ data: Data?) throws -> Int32 {
        guard let data else {
            let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
            guard null >= 0 else { throw failure("open /dev/null", errno) }
            return null
        }
        var template = Array((NSTemporaryDirectory() + "/bailey-input.XXXXXX").utf8CString)
        let file = mkstemp(&template)
        guard file >= 0 else { throw failure("make an input file", errno) }
        unlink(template)
        _ = fcntl(file, F_SETFD, FD_CLOEXEC)
        let written = data.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        guard written == data.count, lseek(file, 0, SEEK_SET) == 0 else {
            close(file)
            throw failure("fill the input file", errno)
        }
        return file
    }

    private static func pipeEnds() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw failure("make a pipe", errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    private static func failure(_ attempt: String, _ code: Int32) -> NSError {
        let text = "\(attempt): \(String(cString: strerror(code)))"
        return NSError(domain: NSPOSIXErrorDomain, code: Int(code), userInfo: [NSLocalizedDescriptionKey: text])
    }

    private static func monotonicSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
