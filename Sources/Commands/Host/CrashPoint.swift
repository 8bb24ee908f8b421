/// The named moments at which a crash test ends this process. Nothing happens there in a release build.
enum CrashPoint {
    static func reached(_ name: StaticString) {
        #if DEBUG
        CrashTest.endHere(name)
        #endif
    }
}

#if DEBUG
import Glibc

/// Ends the process as a power cut would, where `BAILEY_CRASH_AT` names the moment. Debug builds only.
private enum CrashTest {
    static func endHere(_ name: StaticString) {
        guard let wanted = getenv("BAILEY_CRASH_AT"), strcmp(wanted, name.description) == 0 else { return }
        kill(getpid(), SIGKILL)
        pause()
    }
}
#endif
