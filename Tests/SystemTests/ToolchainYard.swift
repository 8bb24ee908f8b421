import Foundation
import TestSupport

/// The place of one tool's test: a home, a fresh project and a state, and `bailey` as this account reaches it.
///
/// It lies in `/var/tmp`, which no sandbox shows. The executables are copied there, because an ordinary user may not
/// reach the build directory.
final class ToolchainYard {
    let identity: TestIdentity
    let path: String
    /// `/home` inside the place for a home that the test makes; the account's own where `usesRealHome`.
    let home: String
    private let base: TemporaryDirectory
    let programPath: String

    var project: String { path + "/project" }

    /// - Parameter usesRealHome: the test looks for programs that are installed in the account's home.
    init(_ identity: TestIdentity, usesRealHome: Bool = false) throws {
        self.identity = identity
        base = try TemporaryDirectory("bailey-tools", in: "/var/tmp")
        path = base.path
        home = usesRealHome ? Self.realHome : path + "/home"
        for directory in ["bin", "home", "project", "state"] {
            try FileManager.default.createDirectory(atPath: path + "/" + directory, withIntermediateDirectories: true)
        }
        programPath = try BuiltProducts.install(in: path + "/bin")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        try identity.own(path)
    }

    /// Some trees hold directories without permission bits, which FileManager does not remove.
    deinit { _ = try? ProcessRunner.run("/bin/rm", arguments: ["-rf", path]) }

    static var realHome: String { ProcessInfo.processInfo.environment["HOME"] ?? "/" }

    /// Directories of programs before those of the system.
    var extraPath: [String] = []
    /// Further variables of the caller.
    var extraVariables: [String: String] = [:]

    private var environment: [String: String] {
        var environment = ["HOME": home, "XDG_STATE_HOME": path + "/state", "LANG": "C.UTF-8"]
        environment["PATH"] = (extraPath + Self.systemPath).joined(separator: ":")
        return environment.merging(extraVariables) { $1 }
    }

    /// The environment in a shell's words.
    var shellEnvironment: String {
        environment.sorted { $0.key < $1.key }.map { "\($0.key)='\($0.value)'" }.joined(separator: " ")
    }

    /// Puts a file into the project, as the account's own.
    func write(_ text: String, to name: String) throws {
        try base.write(text, to: "project/" + name)
        try identity.own(project)
    }

    /// Puts a file into the home that the test made.
    func writeHome(_ text: String, to name: String, mode: Int = 0o644) throws {
        try base.write(text, to: "home/" + name)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path + "/home/" + name)
        try identity.own(path + "/home")
    }

    /// Runs a shell script behind the wall.
    func inside(_ script: String, options: [String] = [], timeoutSeconds: Double = 150) throws -> ProcessResult {
        try bailey(
            ["run", "--apply", "never"] + options + ["--", "/bin/sh", "-c", script],
            timeoutSeconds: timeoutSeconds
        )
    }

    func bailey(_ arguments: [String], timeoutSeconds: Double = 60) throws -> ProcessResult {
        try identity.run(
            programPath,
            arguments: arguments,
            environment: environment,
            currentDirectory: project,
            timeoutSeconds: timeoutSeconds
        )
    }

    /// Runs a shell script as the same account, in the project, without a wall.
    func outside(_ script: String) throws -> ProcessResult {
        try identity.run(
            "/bin/sh",
            arguments: ["-c", script],
            environment: environment,
            currentDirectory: project,
            timeoutSeconds: 60
        )
    }

    /// Whether every one of the programs lies in a directory of the system, where both accounts find it.
    static func has(_ programs: String...) -> Bool {
        programs.allSatisfy { program in
            systemPath.contains { access($0 + "/" + program, X_OK) == 0 }
        }
    }

    /// Directories of programs that every account and every sandbox sees: this process's, as far as the system has
    /// them.
    private static let systemPath: [String] = {
        let own = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        let system = ["/usr/local/bin", "/usr/bin", "/bin"]
        return system + own.filter { !system.contains($0) && ($0.hasPrefix("/usr/") || $0.hasPrefix("/opt/")) }
    }()
}
