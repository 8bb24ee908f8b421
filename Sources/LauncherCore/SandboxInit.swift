import CLinux
import Glibc

/// The sandbox's first process: builds the view, starts the command, reaps, and ends the sandbox with the command.
///
/// It runs no foreign code, cannot be traced or read by the command (it is not dumpable, and the command has no
/// capability), and holds nothing but the status socket.
struct SandboxInit {
    let plan: LaunchPlanView
    let scratch: Scratch
    let channel: Channel
    /// Readable once the outer half has written the identity maps; at its end when the outer half is gone.
    let gate: Int32

    func main() -> Never {
        do throws(LaunchFailure) {
            try prepare()
            try runCommand()
        } catch {
            channel.report(error)
            bailey_exit(1)
        }
    }

    private func prepare() throws(LaunchFailure) {
        var go: UInt8 = 0
        guard bailey_die_with_parent() == 0, read(gate, &go, 1) == 1 else {
            throw LaunchFailure(.awaitParent, code: errno)
        }
        guard bailey_set_ids(plan.insideUserID, plan.insideGroupID, plan.isPrivileged ? 1 : 0) == 0,
            bailey_not_dumpable() == 0, bailey_die_with_parent() == 0
        else { throw LaunchFailure(.takeIdentity, code: errno) }
        // The change of identity cleared the death signal for a moment in which the outer half may have died.
        guard bailey_poll_hangup(gate) == 0 else { throw LaunchFailure(.awaitParent, code: ECHILD) }
        guard bailey_private_propagation() == 0 else { throw LaunchFailure(.isolateMounts, code: errno) }
        if !plan.isPrivileged { try SourceOpener(plan: plan, scratch: scratch).openAll() }
        umask(0)
        try RootBuilder(plan: plan, scratch: scratch).build()
        umask(0o022)
        guard bailey_loopback_up() == 0 else { throw LaunchFailure(.network, code: errno) }
        guard bailey_set_hostname(plan.hostName, strlen(plan.hostName)) == 0 else {
            throw LaunchFailure(.hostName, code: errno)
        }
    }

    private func runCommand() throws(LaunchFailure) -> Never {
        var slave: Int32 = -1
        if plan.usesTerminal {
            let master = bailey_open_pty(&slave)
            guard master >= 0 else { throw LaunchFailure(.terminal, code: errno) }
            channel.report(.terminal, descriptor: master)
            close(master)
            guard channel.awaitProceed() else { throw LaunchFailure(.terminal, code: ECHILD) }
        }
        let command = bailey_fork()
        guard command >= 0 else { throw LaunchFailure(.fork, code: errno) }
        if command == 0 {
            CommandStart(plan: plan, scratch: scratch, channel: channel, terminal: slave).main()
        }
        if slave >= 0 { close(slave) }
        for descriptor in Int32(0)..<3 { close(descriptor) }
        guard bailey_drop_capabilities() == 0, bailey_no_new_privileges() == 0 else {
            throw LaunchFailure(.privileges, code: errno)
        }
        reap(until: command)
        bailey_exit(0)
    }

    /// Reaps every orphan; returns when the command's main process has ended and been reported.
    private func reap(until command: Int32) {
        while true {
            var status: Int32 = 0
            var cpuMicroseconds: UInt64 = 0
            var peakKibibytes: UInt64 = 0
            let ended = bailey_wait(-1, &status, &cpuMicroseconds, &peakKibibytes)
            if ended < 0 { return }
            guard ended == command else { continue }
            channel.reportExit(status: status, cpuMicroseconds: cpuMicroseconds, peakKibibytes: peakKibibytes)
            return
        }
    }
}
