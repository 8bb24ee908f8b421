/// Who wants something done.
package enum Principal: Sendable, Hashable {
    /// A person at a terminal or with a script of their own: the operating-system user.
    case human(userID: UInt32)
    case agent(name: String)
    case system
}

/// What is wanted, exactly. A value: it decides nothing and does nothing.
package struct Action: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case runCommand(CommandRequest)
        /// Bring a change set, named by the digest of its listing, into the project.
        case applyChanges(Digest)
        case discardChanges(Digest)
    }

    package let kind: Kind
    package let principal: Principal
    package let run: RunID
    package let project: ProjectID

    package init(kind: Kind, principal: Principal, run: RunID, project: ProjectID) {
        self.kind = kind
        self.principal = principal
        self.run = run
        self.project = project
    }
}

/// A command as the caller wrote it.
package struct CommandRequest: Sendable, Hashable {
    /// The command and its arguments, never empty.
    package let arguments: [String]
    /// Absolute, inside the project.
    package let workingDirectory: String
    /// What the command will find in its environment.
    package let environment: [EnvironmentVariable]
    package let workspace: WorkspaceMode

    package init(
        arguments: [String],
        workingDirectory: String,
        environment: [EnvironmentVariable],
        workspace: WorkspaceMode
    ) {
        precondition(!arguments.isEmpty, "a command has at least its name")
        self.arguments = arguments
        self.workingDirectory = workingDirectory
        self.environment = environment
        self.workspace = workspace
    }
}

/// One variable of a command's environment.
package struct EnvironmentVariable: Sendable, Hashable {
    package let name: String
    package let value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// How the project is shown to the command.
package enum WorkspaceMode: String, Sendable, CaseIterable {
    /// A copy-on-write view; changes wait at the commit gate.
    case overlay
    /// A full copy, where the file system or the owners rule an overlay out; changes wait at the commit gate.
    case copy
    /// The project itself: changes are live, without a gate; what must not be changed or seen is guarded by mounts.
    case direct
}

extension Action {
    /// The bytes that a keyed digest of this action covers: every field, length-prefixed, so that no two actions share
    /// them.
    package var canonicalBytes: [UInt8] {
        var bytes: [UInt8] = []
        func add(_ text: String) {
            let utf8 = Array(text.utf8)
            withUnsafeBytes(of: UInt64(utf8.count).littleEndian) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: utf8)
        }
        add("bailey-action-v1")
        add(run.rawValue)
        add(project.rawValue)
        switch principal {
        case .human(let userID): add("human:\(userID)")
        case .agent(let name): add("agent:" + name)
        case .system: add("system")
        }
        switch kind {
        case .runCommand(let command):
            add("run")
            add(String(command.arguments.count))
            command.arguments.forEach(add)
            add(command.workingDirectory)
            add(command.workspace.rawValue)
            for variable in command.environment.sorted(by: { $0.name < $1.name }) {
                add(variable.name)
                add(variable.value)
            }
        case .applyChanges(let digest):
            add("apply")
            add(digest.hex)
        case .discardChanges(let digest):
            add("discard")
            add(digest.hex)
        }
        return bytes
    }
}
