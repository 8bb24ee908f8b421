import BrokerLink
import CLinux
import Domain
import Files
import Glibc

/// A program that prints a secret, run outside as the caller: a keychain's, a password store's. Its standard output is
/// the value, and goes straight into memory that is wiped.
struct SecretCommand {
    /// Who unlocks a keychain by hand needs some seconds.
    private static let timeoutSeconds: UInt64 = 30

    let name: String
    let words: [String]
    let caller: Caller
    let project: String

    func run() throws(CommandError) -> SecretBuffer {
        let program = try locate()
        var ends: [Int32] = [-1, -1]
        guard bailey_pipe(&ends) == 0 else { throw refuse("no pipe can be made") }
        let output = Descriptor(owning: ends[0])
        let process = try start(program, output: Descriptor(owning: ends[1]))
        let end = now() + Self.timeoutSeconds * 1_000_000_000
        do throws(CommandError) {
            return try collect(output, process, until: end)
        } catch {
            // It has a session of its own, and with it go its children.
            kill(-process, SIGKILL)
            var status: Int32 = 0
            while waitpid(process, &status, 0) < 0, errno == EINTR {}
            throw error
        }
    }

    /// Reads to the end of its output, and waits for its own.
    private func collect(
        _ output: borrowing Descriptor,
        _ process: Int32,
        until end: UInt64
    ) throws(CommandError) -> SecretBuffer {
        var buffer = try memory()
        var wait = pollfd(fd: output.raw, events: Int16(POLLIN), revents: 0)
        while true {
            let time = now()
            guard time < end else { throw late() }
            let ready = poll(&wait, 1, Int32((end - time) / 1_000_000) + 1)
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { throw late() }
            guard buffer.count <= KeyFlaw.bytesMax, !buffer.free.isEmpty else {
                throw refuse("it prints more than \(KeyFlaw.bytesMax) bytes")
            }
            let count = read(output.raw, buffer.free.baseAddress, buffer.free.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw refuse(String(cString: strerror(errno))) }
            if count == 0 { break }
            buffer.advance(count)
        }
        let status = try ended(process, until: end)
        guard status & 0x7F == 0 else { throw refuse("it was ended by signal \(status & 0x7F)") }
        guard status == 0 else { throw refuse("it failed with exit code \(status >> 8 & 0xFF)") }
        return buffer
    }

    private func ended(_ process: Int32, until end: UInt64) throws(CommandError) -> Int32 {
        var status: Int32 = 0
        while waitpid(process, &status, WNOHANG) != process {
            guard now() < end else { throw late() }
            usleep(1000)
        }
        return status
    }

    private func start(_ program: String, output: consuming Descriptor) throws(CommandError) -> Int32 {
        let raw = open("/dev/null", O_RDWR | O_CLOEXEC)
        guard raw >= 0 else { throw refuse("there is no /dev/null") }
        let null = Descriptor(owning: raw)
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var variables = caller.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer {
            for text in arguments { free(text) }
            for text in variables {
                guard let text else { continue }
                explicit_bzero(text, strlen(text))
                free(text)
            }
        }
        let process = bailey_spawn(program, &arguments, &variables, [null.raw, output.raw, 2], 3)
        guard process > 0 else { throw refuse("it cannot be started: \(String(cString: strerror(errno)))") }
        return process
    }

    /// The program by the caller's PATH, never one that a command inside could have put there.
    private func locate() throws(CommandError) -> String {
        let word = words[0]
        guard word.hasPrefix("/") || !word.contains("/") else {
            throw refuse("it is named by a part of a path", "Write its name or its whole path.")
        }
        let directories = (caller.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":").filter {
            $0.hasPrefix("/")
        }
        let places = word.hasPrefix("/") ? [word] : directories.map { $0 + "/" + word }
        guard let found = places.first(where: { access($0, X_OK) == 0 }), let real = Caller.resolved(found) else {
            throw refuse("there is no such program", "Install it, or write its whole path.")
        }
        guard !real.hasPrefix(project + "/") else {
            throw refuse("it lies in the project, where commands work", "Move it elsewhere.")
        }
        return found
    }

    private func memory() throws(CommandError) -> SecretBuffer {
        do throws(LinkError) { return try SecretBuffer(bytesMax: KeyFlaw.bytesMax + 4) } catch {
            throw refuse("\(error)")
        }
    }

    private func now() -> UInt64 { SystemTime().monotonicNanoseconds() }

    private func late() -> CommandError {
        refuse("it did not end within \(Self.timeoutSeconds) s", "It has no terminal to ask on: unlock it before.")
    }

    private func refuse(_ problem: String, _ hint: String? = nil) -> CommandError {
        CommandError(
            ExitStatus.failed,
            "read the secret \(name) from the command \(Printable.text(words[0])): \(problem)",
            hint: hint ?? "Try it in a shell: it must print the key, and nothing else, and end with 0."
        )
    }
}
