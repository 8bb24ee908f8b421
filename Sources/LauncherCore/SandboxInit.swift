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
    /// At its end when the outer half is gone.
    let link: Link

    /// What the process does from its first moment.
    static func main(_ channel: Channel, _ link: Link) -> Never {
        do throws(LaunchFailure) {
            try settle()
            let sandbox = try take(channel, link)
            try sandbox.prepare()
            try sandbox.runCommand()
        } catch {
            channel.report(error)
            bailey_exit(1)
        }
    }

    /// What needs no plan. The process joins the control group by itself, because the kernel moves another one only
    /// after a long wait.
    private static func settle() throws(LaunchFailure) {
        guard bailey_die_with_parent() == 0 else { throw LaunchFailure(.awaitParent, code: errno) }
        var own: (UInt8, UInt8) = (0x30, 0x0A)
        guard write(LaunchDescriptor.group, &own, 2) == 2 else { throw LaunchFailure(.limits, code: errno) }
        close(LaunchDescriptor.group)
        // The group that it is in now is the root of what it sees of the groups.
        guard bailey_unshare(BAILEY_NEW_CGROUP) == 0 else { throw LaunchFailure(.makeNamespaces, code: errno) }
        guard bailey_private_propagation() == 0 else { throw LaunchFailure(.isolateMounts, code: errno) }
        guard bailey_loopback_up() == 0 else { throw LaunchFailure(.network, code: errno) }
    }

    /// Waits for the plan.
    private static func take(_ channel: Channel, _ link: Link) throws(LaunchFailure) -> SandboxInit {
        let memory = try link.takePlan()
        guard let plan = LaunchPlanView(sealed: memory) else { throw LaunchFailure(.readPlan, code: EINVAL) }
        close(memory)
        return SandboxInit(plan: plan, scratch: try Scratch(plan), channel: channel, link: link)
    }

    private func prepare() throws(LaunchFailure) {
        guard bailey_set_ids(plan.insideUserID, plan.insideGroupID, plan.isPrivileged ? 1 : 0) == 0,
            bailey_not_dumpable() == 0, bailey_die_with_parent() == 0
        else { throw LaunchFailure(.takeIdentity, code: errno) }
        // The change of identity cleared the death signal for a moment in which the outer half may have died.
        guard bailey_poll_hangup(link.descriptor) == 0 else { throw LaunchFailure(.awaitParent, code: ECHILD) }
        if plan.hasNetwork { try OwnNetwork(plan: plan, channel: channel).make() }
        if !plan.isPrivileged { try SourceOpener(plan: plan, scratch: scratch).openAll() }
        umask(0)
        try RootBuilder(plan: plan, scratch: scratch, link: plan.isPrivileged ? link : nil).build()
        umask(0o022)
        guard bailey_set_hostname(plan.hostName, strlen(plan.hostName)) == 0 else {
            throw LaunchFailure(.hostName, code: errno)
        }
    }

    private func runCommand() throws(LaunchFailure) -> Never {
        // Whoever serves the network must have begun, or the command would find nobody there.
        if plan.hasNetwork, !channel.awaitProceed() { throw LaunchFailure(.network, code: ECHILD) }
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
