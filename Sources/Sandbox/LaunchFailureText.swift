import Domain
import Glibc
import LauncherCore

/// Turns the launcher's structured error into a sentence and a hint.
enum LaunchFailureText {
    static func error(_ failure: StatusMessage, _ request: SandboxRequest) -> SandboxError {
        let reason = String(cString: strerror(failure.code))
        let path = Printable.text(failure.path)
        if request.isLive, let error = live(failure, path: path, reason: reason) { return error }
        switch failure.step {
        case .findCommand:
            return SandboxError(
                .commandNotFound,
                "run \(path): command not found in the sandbox",
                hint: "The sandbox sees /usr, /opt, the project and programs installed in the home; show it more with "
                    + "--readable PATH."
            )
        case .execute:
            return SandboxError(
                .commandNotExecutable,
                "run \(path): \(reason)",
                hint: failure.code == ENOENT
                    ? "The file exists; its interpreter does not, or is not visible in the sandbox."
                    : "Give it execute permission, or name the interpreter."
            )
        case .workingDirectory:
            return SandboxError(.workingDirectory, "enter \(path) in the sandbox: \(reason)")
        case .overlay:
            return SandboxError(
                .overlay,
                "mount the copy-on-write view (\(path)): \(reason)",
                hint: "The project's file system cannot be a layer; use --workspace copy."
            )
        case .makeNamespaces, .mapIdentity, .network:
            return SandboxError(.setup, "\(attempt(failure.step)): \(reason)", hint: namespaceHint(failure.code))
        case .readPlan:
            return SandboxError(
                .launcher,
                "start the launcher: it does not understand the plan",
                hint: "bailey and bailey-launcher are of different builds; install both together."
            )
        case .landlock:
            return SandboxError(
                .setup,
                "restrict the command with Landlock: \(reason)",
                hint: "The kernel needs Landlock (Linux 5.13, CONFIG_SECURITY_LANDLOCK, `landlock` in the lsm= list)."
            )
        case .selfTestOpen, .selfTestCreate, .selfTestConnect, .selfTestMount, .selfTestPrivileges:
            return SandboxError(
                .setup,
                "prove the walls from inside: \(attempt(failure.step)) was not refused \(path)",
                hint: "Nothing was executed. Please report this with the output of `bailey doctor`."
            )
        default:
            let place = path.isEmpty ? "" : " \(path)"
            return SandboxError(.setup, "\(attempt(failure.step))\(place): \(reason)", hint: nil)
        }
    }

    /// What fails only where the project itself is shown.
    private static func live(_ failure: StatusMessage, path: String, reason: String) -> SandboxError? {
        switch failure.step {
        case .openSource where failure.code == EINVAL:
            SandboxError(
                .setup,
                "show \(path) itself: \(reason)",
                hint: "Its file system cannot map owners (id-mapped mounts), or something was mounted in it just now; "
                    + "use --workspace copy."
            )
        case .mount:
            SandboxError(
                .setup,
                "guard \(path): \(reason)",
                hint: "It changed while the run started; nothing was executed. Try again."
            )
        default: nil
        }
    }

    private static func namespaceHint(_ code: Int32) -> String {
        switch code {
        case EPERM, EACCES:
            "User namespaces are restricted here. On Ubuntu 24.04 and newer AppArmor does it: see `bailey doctor`; in "
                + "a container the runtime does it."
        case ENOSPC: "The limit of user.max_user_namespaces is used up or 0: sysctl user.max_user_namespaces."
        default: "Run `bailey doctor` to see which part of the kernel is missing."
        }
    }

    private static func attempt(_ step: LaunchStep) -> String {
        switch step {
        case .readPlan: "read the launch plan"
        case .openSource: "open what the sandbox shows"
        case .makeNamespaces: "make the namespaces"
        case .mapIdentity: "map the user ids"
        case .awaitParent: "wait for the outer launcher"
        case .takeIdentity: "take the sandbox's identity"
        case .isolateMounts: "isolate the mounts"
        case .makeRoot: "make the new root"
        case .mount: "mount"
        case .overlay: "mount the copy-on-write view"
        case .enterRoot: "enter the new root"
        case .network: "bring the loopback up"
        case .hostName: "set the host name"
        case .fork: "fork the command"
        case .terminal: "set up the terminal"
        case .keyring: "join a new keyring"
        case .limits: "set the resource limits"
        case .privileges: "give up the privileges"
        case .landlock: "restrict the command with Landlock"
        case .seccomp: "load the system call filter"
        case .selfTestOpen: "opening a path of the host"
        case .selfTestCreate: "creating a file in a read-only place"
        case .selfTestConnect: "a connection to the outside"
        case .selfTestMount: "a mount"
        case .selfTestPrivileges: "holding a privilege"
        case .workingDirectory: "enter the working directory"
        case .findCommand: "find the command"
        case .execute: "execute the command"
        }
    }
}
