import CLinux
package import Domain
import Files
import Glibc

/// A launcher that has started and waits for its plan, with the streams and the memory group of the sandbox to come.
///
/// It is made as early as the limits are known: joining the group takes the kernel milliseconds, in which the workspace
/// is prepared. It can do nothing before it gets a plan, and ends by itself if none comes.
package final class PreparedSandbox {
    let launcher: LauncherProcess
    let streams: StreamSet
    let group: MemoryGroup?
    let limits: ResourceLimits
    let usesTerminal: Bool
    /// Nil for a run without a network.
    package let network: NetworkService?
    private var isReaped = false

    /// - Parameter kept: descriptors that the sandbox's own processes hold open until the last of them is gone, and
    ///   that the command never sees: with a lock's, nobody takes the lock while a killed Bailey's sandbox is still
    ///   dying.
    package init(
        launcherPath: String,
        limits: ResourceLimits,
        streams outer: StandardStreams,
        usesTerminal: Bool,
        run: RunID,
        keeping kept: [Int32] = [],
        network: NetworkService? = nil
    ) throws {
        LeavingSandboxes.reap()
        self.limits = limits
        self.usesTerminal = usesTerminal
        self.network = network
        let group = MemoryGroup.make(run: run, bytesMax: limits.memoryBytes)
        self.group = group
        streams = try StreamSet(outer, usesTerminal: usesTerminal)
        do {
            let list = try Self.memberList(of: group)
            launcher = try LauncherProcess(
                path: launcherPath,
                streams: streams.inner,
                group: list,
                kept: kept
            )
        } catch {
            group.map(LeavingSandboxes.add(group:))
            throw error
        }
        streams.closeInner()
    }

    deinit {
        if !isReaped {
            kill(launcher.processID, SIGKILL)
            launcher.reap()
        }
        group.map(LeavingSandboxes.add(group:))
    }

    /// Lets go of the launcher, whose sandbox is dead. The caller's terminal is theirs again.
    func reap() {
        LeavingSandboxes.add(process: launcher.processID)
        streams.releaseTerminal()
        isReaped = true
    }

    private static func memberList(of group: MemoryGroup?) throws(SystemError) -> Descriptor {
        if let group { return try group.memberList() }
        return Descriptor(owning: try SystemError.check("open", open("/dev/null", O_WRONLY | O_CLOEXEC)))
    }
}
