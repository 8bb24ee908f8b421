/// Why a command did not end by itself.
package enum KillCause: String, Sendable, CaseIterable {
    case timeout, output, memory, workspace, processes
    case cpuTime = "cpu_time"
    /// Ctrl-C or SIGINT to Bailey.
    case interrupted
    /// SIGTERM or SIGHUP to Bailey.
    case terminated
    /// Somebody ended the launcher or the sandbox's init from outside, and with it the command.
    case sandboxDied = "sandbox_died"
}

/// How a command's main process ended.
package enum Ending: Sendable, Equatable {
    case exited(code: Int32)
    case signalled(signal: Int32)

    /// The exit code that a shell would report.
    package var shellCode: Int32 {
        switch self {
        case .exited(let code): code
        case .signalled(let signal): 128 + signal
        }
    }
}

/// One wall of the sandbox, named in every run's record.
package enum Layer: String, Sendable, CaseIterable {
    case userNamespace = "user_namespace"
    case mountNamespace = "mount_namespace"
    case pidNamespace = "pid_namespace"
    case networkNamespace = "network_namespace"
    case ipcNamespace = "ipc_namespace"
    case utsNamespace = "uts_namespace"
    case cgroupNamespace = "cgroup_namespace"
    case landlock, seccomp, overlay
    case noNewPrivileges = "no_new_privileges"
    case rlimits
    case cgroup
}

/// What holds a limit.
package enum LimitMechanism: String, Sendable, CaseIterable {
    case cgroupV2 = "cgroup_v2"
    case cgroupV1 = "cgroup_v1"
    case rlimit
    case watchdog
    case pump
    case mount
    case timer
    case none
}

/// The limits of a run, by the names that configuration and records use.
package enum LimitName: String, Sendable, CaseIterable {
    case timeout, memory, processes, output
    case cpuTime = "cpu_time"
    case workspaceBytes = "workspace_bytes"
    case workspaceFiles = "workspace_files"
    case openFiles = "open_files"
}

/// What a command did with its time, as far as the kernel told.
package struct Usage: Sendable, Equatable {
    package var wallSeconds: Double = 0
    package var cpuSeconds: Double = 0
    package var peakMemoryBytes: UInt64?
    package var standardOutputBytes: UInt64 = 0
    package var standardErrorBytes: UInt64 = 0

    package init() {}
}

/// The result of one sandboxed execution.
package struct Outcome: Sendable, Equatable {
    package var ending: Ending
    package var cause: KillCause?
    package var usage: Usage
    package var engine: String
    package var layers: [Layer]
    package var mechanisms: [LimitName: LimitMechanism]
    package var observation = Observation()
    /// Nil for a run that had no network.
    package var network: NetworkUse?
    /// Nil for a run to which no provider of models was given.
    package var models: ModelUse?

    package init(
        ending: Ending,
        cause: KillCause?,
        usage: Usage,
        engine: String,
        layers: [Layer],
        mechanisms: [LimitName: LimitMechanism]
    ) {
        self.ending = ending
        self.cause = cause
        self.usage = usage
        self.engine = engine
        self.layers = layers
        self.mechanisms = mechanisms
    }

    package var wasKilled: Bool { cause != nil }
}
