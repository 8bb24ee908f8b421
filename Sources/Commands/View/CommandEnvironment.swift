import Domain
import Sandbox

/// The command's environment, built from nothing: what every program needs, and what the caller named.
struct CommandEnvironment {
    /// Taken from the caller as they are; they hold no secret and name no place.
    private static let passed = [
        "CLICOLOR_FORCE", "COLORTERM", "FORCE_COLOR", "LANG", "LANGUAGE", "LC_ADDRESS", "LC_ALL", "LC_COLLATE",
        "LC_CTYPE", "LC_MESSAGES", "LC_MONETARY", "LC_NUMERIC", "LC_TIME", "NO_COLOR", "TERM", "TZ",
    ]
    /// Taken where the place that they name is visible inside.
    private static let places = ["JAVA_HOME", "VIRTUAL_ENV", "CONDA_PREFIX", "GOROOT"]
    private static let defaultPath = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"]

    let caller: Caller
    let project: String
    /// Host paths that are shown beside the system and the project.
    let readable: [String]
    let run: RunID
    let hasNetwork: Bool
    /// What the agent's recipe sets, and where services are.
    let agent: [EnvironmentVariable]
    /// What stands for secrets that are held outside.
    let secrets: [EnvironmentVariable]

    /// - Parameter extra: `--env` entries: `NAME` takes the caller's value, `NAME=VALUE` sets one.
    func variables(extra: [String]) throws(CommandError) -> [EnvironmentVariable] {
        var values: [String: String] = [:]
        for name in Self.passed { values[name] = caller.environment[name] }
        for name in Self.places {
            if let value = caller.environment[name], isVisible(value) { values[name] = value }
        }
        for variable in Toolchains.variables(inHome: caller.home) { values[variable.name] = variable.value }
        values["HOME"] = caller.home
        values["USER"] = caller.userName
        values["LOGNAME"] = caller.userName
        values["SHELL"] = "/bin/sh"
        values["TMPDIR"] = "/tmp"
        values["PATH"] = Self.searchPath(caller, project: project, readable: readable).joined(separator: ":")
        values["GIT_TERMINAL_PROMPT"] = "0"
        values["BAILEY_RUN"] = run.rawValue
        if hasNetwork { for variable in RunNetwork.variables { values[variable.name] = variable.value } }
        for variable in agent { values[variable.name] = variable.value }
        for entry in extra {
            let variable = try Self.variable(entry, caller)
            values[variable.name] = variable.value
        }
        for variable in secrets { values[variable.name] = variable.value }
        return values.sorted { $0.key < $1.key }.map { EnvironmentVariable(name: $0.key, value: $0.value) }
    }

    /// The caller's PATH without what is not there inside.
    static func searchPath(_ caller: Caller, project: String, readable: [String]) -> [String] {
        let own = (caller.environment["PATH"] ?? "").split(separator: ":").map(String.init)
            .filter { isVisible($0, project, readable) }
        return own + defaultPath.filter { !own.contains($0) }
    }

    private func isVisible(_ path: String) -> Bool { Self.isVisible(path, project, readable) }

    private static func isVisible(_ path: String, _ project: String, _ readable: [String]) -> Bool {
        let roots = ["/usr", "/opt", "/bin", "/sbin", "/lib", project] + readable
        return roots.contains { path == $0 || path.hasPrefix($0 + "/") }
    }

    /// Judges `--env` entries before anything is made.
    static func check(_ extra: [String], caller: Caller) throws(CommandError) {
        for entry in extra { _ = try variable(entry, caller) }
    }

    private static func variable(_ entry: String, _ caller: Caller) throws(CommandError) -> (
        name: String, value: String
    ) {
        let name = String(entry.prefix { $0 != "=" })
        let isName =
            !name.isEmpty
            && name.utf8.allSatisfy { byte in
                byte == UInt8(ascii: "_") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            }
        guard isName, name.first.map({ !$0.isNumber }) ?? false else {
            throw CommandError(
                ExitStatus.usage,
                "read --env \(Printable.text(entry)): \"\(Printable.text(name))\" is no variable name",
                hint: "Write --env NAME to pass your value or --env NAME=VALUE to set one."
            )
        }
        if entry.count > name.count { return (name, String(entry.dropFirst(name.count + 1))) }
        guard let value = caller.environment[name] else {
            throw CommandError(
                ExitStatus.usage,
                "read --env \(name): it is not set in your environment",
                hint: "Write --env \(name)=VALUE."
            )
        }
        return (name, value)
    }
}
