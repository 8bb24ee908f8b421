import Authority
import Domain
import Sandbox

/// Executes a request as whoever the caller is: an ordinary user as themselves, root under a leased id of nobody
/// else's.
enum Execution {
    static func perform(
        _ grant: consuming Grant,
        _ request: SandboxRequest,
        caller: Caller,
        time: SystemTime,
        prepared: PreparedSandbox,
        onStart: () -> Void = {}
    ) throws -> Outcome {
        let engine = NativeEngine(time: time)
        guard caller.isRoot else { return try engine.run(grant, request, prepared, onStart: onStart) }
        let lease = try HostIdentity.leased()
        var request = request
        request.identity = lease.identity
        return try engine.run(grant, request, prepared, onStart: onStart)
    }
}
