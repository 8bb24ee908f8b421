import CLinux
import Glibc

/// Where long results go: through the caller's pager on a terminal, straight to standard output elsewhere.
///
/// The pager is the caller's own (`PAGER`, else less), and never one that a project names: it is looked for in absolute
/// directories outside the project, and it starts in the root directory. What it is given is printable text.
final class Pager {
    /// less with these ends at once where all fits the screen, shows colours and leaves the screen as it is.
    private static let usual = "less -FRX"
    private static let usualOptions = "FRX"
    private static let systemPath = ["/usr/local/bin", "/usr/bin", "/bin"]

    private let caller: Caller
    private let project: String
    private var output: Int32 = 1
    private var process: pid_t = 0
    /// True until it is known whether a pager takes it.
    private var isWaiting: Bool
    /// A reader that went away has what it wanted.
    private var isClosed = false
    private var buffer: [UInt8] = []
    private static let chunkBytes = 32 << 10
    /// A person reads a page for as long as they like; up to here whoever wrote it holds nothing meanwhile.
    private static let waitingBytes = 64 << 20

    /// - Parameter project: what lies there is never executed.
    init(_ caller: Caller, project: String) {
        self.caller = caller
        self.project = project
        isWaiting = isatty(1) == 1
    }

    func line(_ text: String) {
        guard !isClosed else { return }
        buffer.append(contentsOf: text.utf8)
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count >= (isWaiting ? Self.waitingBytes : Self.chunkBytes) { flush() }
    }

    /// Gives out what there is and waits for the pager. A pager that ends early, or badly, is no error: all was
    /// offered.
    func finish() {
        flush()
        guard process > 0 else { return }
        close(output)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        signal(SIGINT, SIG_DFL)
        signal(SIGQUIT, SIG_DFL)
        process = 0
        isClosed = true
    }

    private func begin() {
        isWaiting = false
        guard let start = Self.start(caller, project) else { return }
        (process, output) = start
        // Ctrl-C is for the pager while it runs, which takes it as a wish to stop searching.
        signal(SIGINT, SIG_IGN)
        signal(SIGQUIT, SIG_IGN)
    }

    private func flush() {
        if isWaiting, !buffer.isEmpty { begin() }
        var rest = buffer[...]
        while !rest.isEmpty, !isClosed {
            let count = rest.withUnsafeBytes { bailey_write_quietly(output, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { isClosed = true } else { rest = rest.dropFirst(count) }
        }
        buffer.removeAll(keepingCapacity: true)
    }

    /// Nil where none is wanted or none can be started.
    private static func start(_ caller: Caller, _ project: String) -> (pid_t, Int32)? {
        let wish = caller.environment["PAGER"]
        guard wish?.isEmpty != true, wish != "cat" else { return nil }
        var environment = caller.environment
        environment["PATH"] = path(caller, project, isChosen: wish != nil)
        if environment["LESS"] == nil { environment["LESS"] = usualOptions }
        var ends: [Int32] = [-1, -1]
        guard bailey_pipe(&ends) == 0 else { return nil }
        defer { close(ends[0]) }
        guard let process = spawn("cd / || exit\n" + (wish ?? usual), environment, input: ends[0]) else {
            close(ends[1])
            return nil
        }
        return (process, ends[1])
    }

    /// Relative directories mean another place wherever one stands, and the project's are the project's.
    private static func path(_ caller: Caller, _ project: String, isChosen: Bool) -> String {
        let listed = (caller.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        let own = listed.filter { directory in
            guard directory.hasPrefix("/"), let real = Caller.resolved(directory) else { return false }
            return real != project && !real.hasPrefix(project + "/")
        }
        return (isChosen ? own + systemPath : systemPath).joined(separator: ":")
    }

    private static func spawn(_ script: String, _ environment: [String: String], input: Int32) -> pid_t? {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        // We ignore broken pipes; the pager's parts need not.
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
        let texts: [String] = ["sh", "-c", script]
        var words: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0.key + "=" + $0.value) } + [nil]
        defer { for pointer in words + variables { free(pointer) } }
        var process: pid_t = 0
        return posix_spawn(&process, "/bin/sh", &actions, &attributes, &words, &variables) == 0 ? process : nil
    }
}
