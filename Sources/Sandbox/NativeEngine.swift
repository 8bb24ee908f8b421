package import Authority
import BrokerLink
import CLinux
package import Domain
import Egress
import Files
import Glibc
import LauncherCore

/// The first engine: Bailey's own launcher, with every layer. It runs one command to its end.
package struct NativeEngine: Sendable {
    package static let name = "native"

    /// The layers that hold once the launcher's self-test has passed; it refuses to go on without any of them.
    package static let layers: [Layer] = [
        .userNamespace, .mountNamespace, .pidNamespace, .networkNamespace, .ipcNamespace, .utsNamespace,
        .cgroupNamespace, .landlock, .seccomp, .noNewPrivileges, .rlimits,
    ]

    private let time: any TimeSource

    package init(time: any TimeSource) { self.time = time }

    /// Runs the granted command. Returns when every process of the sandbox is dead.
    ///
    /// - Parameters:
    ///   - prepared: the launcher that waits; it serves once.
    ///   - onStart: called once the walls have been proved, before the command's first instruction counts.
    /// - Throws: ``SandboxError`` if the command was not executed.
    package func run(
        _ grant: consuming Grant,
        _ request: SandboxRequest,
        _ prepared: PreparedSandbox,
        onStart: () -> Void = {}
    ) throws -> Outcome {
        let action = try grant.redeem(at: time)
        guard case .runCommand(let command) = action.kind else {
            throw SandboxError(.setup, "run a command: the grant is for something else")
        }
        var request = request
        request.hasNetwork = prepared.network != nil
        // Before the broker is waited for, which makes its authority meanwhile.
        let filter = try SystemCallFilter.compile(
            boundsSharedMemory: prepared.group == nil,
            refusesSetID: request.isLive
        )
        request.trustBundle = try prepared.network?.trustBundle()
        let plan = try makePlan(command, request, prepared, filter)
        let supervisor = try Supervisor(
            plan: plan,
            command: command,
            request: request,
            prepared: prepared,
            time: time
        )
        var outcome = try supervisor.run(onStart: onStart)
        outcome.layers = Self.layers + (request.hasOverlay ? [.overlay] : []) + (prepared.group == nil ? [] : [.cgroup])
        return outcome
    }

    private func makePlan(
        _ command: CommandRequest,
        _ request: SandboxRequest,
        _ prepared: PreparedSandbox,
        _ filter: [UInt8]
    ) throws(SandboxError) -> LaunchPlan {
        let view = try ViewBuilder(request)
        var plan = LaunchPlan()
        plan.isPrivileged = request.identity.isPrivileged
        plan.usesTerminal = prepared.usesTerminal
        plan.insideUserID = request.identity.insideUserID
        plan.insideGroupID = request.identity.insideGroupID
        plan.hostUserID = request.identity.hostUserID
        plan.hostGroupID = request.identity.hostGroupID
        plan.workingDirectory = command.workingDirectory
        plan.canary = request.canary
        plan.arguments = command.arguments
        plan.environment = command.environment.map { $0.name + "=" + $0.value }
        plan.candidates = Self.candidates(command)
        plan.operations = view.operations
        plan.permissions = view.permissions
        plan.identities = view.identities
        if let network = prepared.network { Self.add(network, to: &plan) }
        plan.limits = Rlimits.list(request.limits)
        plan.filter = filter
        return plan
    }

    /// The addresses that stand for names, and the sockets behind them.
    private static func add(_ network: NetworkService, to plan: inout LaunchPlan) {
        plan.routes = SandboxNetwork.blocks.map { block in
            .init(.init(block.first.networkBytes), prefixBits: UInt32(block.prefixBits))
        }
        plan.listeners = network.listeners.map { listener in
            let isDatagram = listener.role == .datagramNames
            return .init(.init(listener.address.networkBytes), port: UInt32(listener.port), isDatagram: isDatagram)
        }
    }

    /// Where the command may lie: the path itself if it has a slash, else each directory of the sandbox's PATH.
    private static func candidates(_ command: CommandRequest) -> [String] {
        let name = command.arguments[0]
        if name.contains("/") { return [name] }
        let path = command.environment.first { $0.name == "PATH" }?.value ?? "/usr/bin:/bin"
        return path.split(separator: ":").map { $0 + "/" + name }
    }
}

extension SandboxRequest {
    var hasOverlay: Bool {
        mounts.contains { if case .overlay = $0.source { true } else { false } }
    }

    /// True where the command works on the project itself.
    var isLive: Bool {
        mounts.contains { if case .live = $0.source { true } else { false } }
    }
}

/// The caller's three streams, by descriptor number.
package struct StandardStreams: Sendable {
    package let input: Int32
    package let output: Int32
    package let error: Int32

    package init(input: Int32 = 0, output: Int32 = 1, error: Int32 = 2) {
        self.input = input
        self.output = output
        self.error = error
    }
}
