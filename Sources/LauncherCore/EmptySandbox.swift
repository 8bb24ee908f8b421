import CLinux
import Glibc

/// Namespaces with nothing in them but an init that waits for a plan. Making them takes a quarter of a launch and needs
/// no plan, so that it is done while the supervisor still composes one.
struct EmptySandbox {
    /// The init, as the launcher sees it.
    let process: Int32
    /// A pidfd of it.
    let handle: Int32
    /// Our end; it stays open as long as we live.
    let link: Link
    /// Its mount namespace. As long as this is open the namespace stays, so that the init is gone at once when its last
    /// instruction is; taking the mounts apart takes the kernel a millisecond and more, which nobody waits for.
    let mounts: Int32

    /// Root maps the sandbox to an identity that the plan names; an ordinary user has only their own.
    static var isPrivileged: Bool { getuid() == 0 }

    static func make(_ channel: Channel) throws(LaunchFailure) -> EmptySandbox {
        var ends: (Int32, Int32) = (-1, -1)
        let made = withUnsafeMutablePointer(to: &ends) {
            $0.withMemoryRebound(to: Int32.self, capacity: 2) { bailey_socketpair_packets($0) }
        }
        guard made == 0 else { throw LaunchFailure(.makeNamespaces, code: errno) }
        var handle: Int32 = -1
        let process = bailey_clone(UInt64(BAILEY_NEW_SANDBOX), &handle)
        guard process >= 0 else { throw LaunchFailure(.makeNamespaces, code: errno) }
        if process == 0 {
            close(ends.0)
            SandboxInit.main(channel, Link(descriptor: ends.1))
        }
        close(ends.1)
        close(LaunchDescriptor.group)
        // Readable for us until the init takes its identity, which it does when it has the plan.
        let mounts = bailey_open("/proc/\(process)/ns/mnt", O_RDONLY, 0)
        guard mounts >= 0 else { throw LaunchFailure(.makeNamespaces, code: errno) }
        let sandbox = EmptySandbox(process: process, handle: handle, link: Link(descriptor: ends.0), mounts: mounts)
        if !isPrivileged { try sandbox.map(inside: (getuid(), getgid()), outside: (getuid(), getgid())) }
        return sandbox
    }

    /// Sees to it that the init can become who the plan says.
    func takeIdentity(_ plan: LaunchPlanView) throws(LaunchFailure) {
        let outside = (plan.hostUserID, plan.hostGroupID)
        guard plan.isPrivileged else {
            let own = (getuid(), getgid())
            guard outside == own, (plan.insideUserID, plan.insideGroupID) == own else {
                throw LaunchFailure(.mapIdentity, code: EPERM)
            }
            return
        }
        try map(inside: (plan.insideUserID, plan.insideGroupID), outside: outside)
    }

    private func map(inside: (UInt32, UInt32), outside: (UInt32, UInt32)) throws(LaunchFailure) {
        try IdentityMap.write(process, inside: inside, outside: outside, isPrivileged: Self.isPrivileged)
    }
}
