import Glibc
import Sandbox

/// Streams for a command of Bailey's own, which has nothing to read and nothing to say.
final class NullStreams {
    private let null: Int32

    init() throws(CommandError) {
        null = open("/dev/null", O_RDWR | O_CLOEXEC)
        guard null >= 0 else {
            throw CommandError(ExitStatus.failed, "open /dev/null: \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(null) }

    var streams: StandardStreams { StandardStreams(input: null, output: null, error: null) }
}
