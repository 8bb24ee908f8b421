import CLinux
import Glibc

/// The launcher's outer half: it makes the namespaces before it knows what for, hands the plan in, writes the identity
/// maps, and waits outside for the sandbox to end. It dies with its supervisor and takes the sandbox along.
package enum Launcher {
    /// Runs to the end of the sandbox. The exit code is 0 once a sandbox has been made, whatever the command did.
    package static func main() -> Never {
        if CommandLine.argc > 1 { ListenerMaker.main(CommandLine.unsafeArgv) }
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: StatusMessage.byteCount, alignment: 16)
        let channel = Channel(buffer: buffer)
        do throws(LaunchFailure) {
            let sandbox = try EmptySandbox.make(channel)
            let plan = try receivePlan(buffer)
            try launch(plan, sandbox, channel)
        } catch {
            // The sandbox's init ends with us.
            channel.report(error)
            bailey_exit(1)
        }
        // The locks first: when the supervisor sees the socket's end, nothing of ours is in anybody's way any more.
        for descriptor in LaunchDescriptor.firstKept..<LaunchDescriptor.keptEnd { close(descriptor) }
        close(LaunchDescriptor.status)
        bailey_exit(0)
    }

    /// The plan, and the memory it came in.
    private static func receivePlan(
        _ buffer: UnsafeMutableRawPointer
    ) throws(LaunchFailure) -> (view: LaunchPlanView, memory: Int32) {
        var memory: Int32 = -1
        // Nothing at all means that the supervisor went away, and there is nobody to tell.
        guard bailey_receive(LaunchDescriptor.status, buffer, 1, &memory, 1) == 1 else { bailey_exit(1) }
        guard let view = LaunchPlanView(sealed: memory) else { throw LaunchFailure(.readPlan, code: EINVAL) }
        return (view, memory)
    }

    private static func launch(
        _ plan: (view: LaunchPlanView, memory: Int32),
        _ sandbox: EmptySandbox,
        _ channel: Channel
    ) throws(LaunchFailure) {
        let view = plan.view
        guard view.isPrivileged == EmptySandbox.isPrivileged else { throw LaunchFailure(.mapIdentity, code: EPERM) }
        try sandbox.takeIdentity(view)
        for descriptor in Int32(0)..<3 { close(descriptor) }
        channel.report(.started, number: Int64(sandbox.process), descriptor: sandbox.handle)
        sandbox.link.handPlan(plan.memory)
        if view.isPrivileged { try handSources(view, sandbox.link) }
        waitForEnd(sandbox.handle)
    }

    /// Opens and hands over the sources in the order in which the init asks for them.
    private static func handSources(_ plan: LaunchPlanView, _ link: Link) throws(LaunchFailure) {
        let scratch = try Scratch(plan)
        let opener = try SourceOpener(plan: plan, scratch: scratch)
        for row in 0..<plan.operationCount {
            let operation = plan.operation(row)
            guard let kind = operation.kind, kind.sourceCount > 0 else { continue }
            if operation.identity >= 0, scratch.identities[operation.identity] < 0 {
                let owner = plan.identity(operation.identity)
                scratch.identities[operation.identity] = try IdentityMap.namespace(
                    userID: owner.user,
                    groupID: owner.group,
                    shownUserID: plan.hostUserID,
                    shownGroupID: plan.hostGroupID
                )
            }
            try opener.open(row)
            link.hand(scratch.slots(of: row), kind.sourceCount)
        }
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
