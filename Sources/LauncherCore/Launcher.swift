import CLinux
import Glibc

/// The launcher's outer half: it reads the plan, makes the namespaces and their identity maps, and waits outside for the
/// sandbox to end. It dies with its supervisor and takes the sandbox along.
package enum Launcher {
    /// Runs to the end of the sandbox. The exit code is 0 once a sandbox has been made, whatever the command did.
    package static func main() -> Never {
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: StatusMessage.byteCount, alignment: 16)
        let channel = Channel(buffer: buffer)
        guard let plan = readPlan() else {
            channel.report(LaunchFailure(.readPlan, code: EINVAL))
            bailey_exit(1)
        }
        do throws(LaunchFailure) {
            try launch(plan, Scratch(plan), channel)
        } catch {
            channel.report(error)
            bailey_exit(1)
        }
        bailey_exit(0)
    }

    private static func readPlan() -> LaunchPlanView? {
        var status = stat()
        guard bailey_memfd_is_sealed(LaunchDescriptor.plan) == 1, fstat(LaunchDescriptor.plan, &status) == 0,
            status.st_size > 0, status.st_size <= off_t(PlanLayout.bytesMax)
        else { return nil }
        let size = Int(status.st_size)
        let mapped = mmap(nil, size, PROT_READ, MAP_PRIVATE, LaunchDescriptor.plan, 0)
        guard let mapped, mapped != MAP_FAILED else { return nil }
        return LaunchPlanView(UnsafeRawBufferPointer(start: mapped, count: size))
    }

    private static func launch(_ plan: LaunchPlanView, _ scratch: Scratch, _ channel: Channel) throws(LaunchFailure) {
        if plan.isPrivileged {
            for row in 0..<plan.identityCount {
                let owner = plan.identity(row)
                scratch.identities[row] = try IdentityMap.namespace(
                    userID: owner.user,
                    groupID: owner.group,
                    shownUserID: plan.hostUserID,
                    shownGroupID: plan.hostGroupID
                )
            }
            try SourceOpener(plan: plan, scratch: scratch).openAll()
        }
        var gate: (Int32, Int32) = (-1, -1)
        guard withUnsafeMutablePointer(to: &gate, { $0.withMemoryRebound(to: Int32.self, capacity: 2) { pipe($0) } }) == 0
        else { throw LaunchFailure(.makeNamespaces, code: errno) }
        // Until then the supervisor puts this process where its limits hold it; the sandbox inherits that.
        guard channel.awaitProceed() else { throw LaunchFailure(.awaitParent, code: ECHILD) }
        var sandbox: Int32 = -1
        let child = bailey_clone(UInt64(BAILEY_NEW_EVERYTHING), &sandbox)
        guard child >= 0 else { throw LaunchFailure(.makeNamespaces, code: errno) }
        if child == 0 {
            close(gate.1)
            SandboxInit(plan: plan, scratch: scratch, channel: channel, gate: gate.0).main()
        }
        close(gate.0)
        do throws(LaunchFailure) {
            try IdentityMap.write(
                child,
                inside: (plan.insideUserID, plan.insideGroupID),
                outside: (plan.hostUserID, plan.hostGroupID),
                isPrivileged: plan.isPrivileged
            )
        } catch {
            _ = bailey_pidfd_send_signal(sandbox, SIGKILL)
            throw error
        }
        for descriptor in Int32(0)..<3 { close(descriptor) }
        channel.report(.started, number: Int64(child), descriptor: sandbox)
        var go: UInt8 = 1
        _ = write(gate.1, &go, 1)
        waitForEnd(sandbox)
    }

    /// Returns when every process of the sandbox is dead: the kernel ends a pid namespace with its init.
    private static func waitForEnd(_ sandbox: Int32) {
        let ready = bailey_wait_readable(sandbox, LaunchDescriptor.liveness)
        if ready != 1 { _ = bailey_pidfd_send_signal(sandbox, SIGKILL) }
        var code: Int32 = 0
        var status: Int32 = 0
        while bailey_waitid_pidfd(sandbox, &code, &status, 0) != 0, errno == EINTR {}
    }
}
