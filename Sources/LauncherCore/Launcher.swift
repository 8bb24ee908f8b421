import CLinux
import Glibc

/// The launcher's outer half: it reads the plan, makes the namespaces and their identity maps, and waits outside for
/// the sandbox to end. It dies with its supervisor and takes the sandbox along.
package enum Launcher {
    /// Runs to the end of the sandbox. The exit code is 0 once a sandbox has been made, whatever the command did.
    package static func main() -> Never {
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: StatusMessage.byteCount, alignment: 16)
        let channel = Channel(buffer: buffer)
        // The sandbox inherits the group. Joining takes the kernel milliseconds, in which the supervisor makes the
        // plan.
        var own: (UInt8, UInt8) = (0x30, 0x0A)
        guard write(LaunchDescriptor.group, &own, 2) == 2 else {
            channel.report(LaunchFailure(.limits, code: errno))
            bailey_exit(1)
        }
        close(LaunchDescriptor.group)
        guard let plan = receivePlan(buffer) else {
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

    private static func receivePlan(_ buffer: UnsafeMutableRawPointer) -> LaunchPlanView? {
        var memory: Int32 = -1
        // Nothing at all means that the supervisor went away, and there is nobody to tell.
        guard bailey_receive(LaunchDescriptor.status, buffer, 1, &memory) == 1 else { bailey_exit(1) }
        var status = stat()
        guard memory >= 0, bailey_memfd_is_sealed(memory) == 1, fstat(memory, &status) == 0,
            status.st_size > 0, status.st_size <= off_t(PlanLayout.bytesMax)
        else { return nil }
        let size = Int(status.st_size)
        let mapped = mmap(nil, size, PROT_READ, MAP_PRIVATE, memory, 0)
        guard let mapped, mapped != MAP_FAILED else { return nil }
        close(memory)
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
        guard
            withUnsafeMutablePointer(to: &gate, { $0.withMemoryRebound(to: Int32.self, capacity: 2) { pipe($0) } }) == 0
        else { throw LaunchFailure(.makeNamespaces, code: errno) }
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
