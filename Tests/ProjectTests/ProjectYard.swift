import Foundation
import TestSupport

/// A place of one test with a home, a state directory and a project, which is made anew for each side of the wall.
final class ProjectYard {
    let identity: TestIdentity
    let path: String
    private let program: String
    private let base: TemporaryDirectory

    var project: String { path + "/project" }

    init(_ identity: TestIdentity) throws {
        self.identity = identity
        base = try TemporaryDirectory("bailey-projects", in: "/var/tmp")
        path = base.path
        for directory in ["bin", "home", "state", "config"] {
            try FileManager.default.createDirectory(atPath: path + "/" + directory, withIntermediateDirectories: true)
        }
        program = try BuiltProducts.install(in: path + "/bin")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        try identity.own(path)
    }

    deinit { _ = try? ProcessRunner.run("/bin/rm", arguments: ["-rf", path]) }

    var environment: [String: String] {
        [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": path + "/home", "XDG_STATE_HOME": path + "/state",
            "XDG_CONFIG_HOME": path + "/config", "LANG": "C.UTF-8",
        ]
    }

    /// Puts one of the sample projects where the project lies, as if nothing had ever run there.
    func lay(_ sample: String) throws {
        let source = Self.samples + "/" + sample
        let script = "rm -rf '\(project)' && cp -R '\(source)' '\(project)'"
        let result = try ProcessRunner.run("/bin/sh", arguments: ["-c", script])
        guard result.status == 0 else { throw ProjectError(result.summary) }
        try identity.own(project)
    }

    func outside(_ script: String, timeoutSeconds: Double = 120) throws -> ProcessResult {
        try run("/bin/sh", ["-c", script], timeoutSeconds)
    }

    /// Runs a script behind the wall and applies what it changed.
    func behind(_ script: String, timeoutSeconds: Double = 120) throws -> ProcessResult {
        try bailey(["run", "--apply", "auto", "--", "/bin/sh", "-c", script], timeoutSeconds: timeoutSeconds)
    }

    func bailey(_ arguments: [String], timeoutSeconds: Double = 60) throws -> ProcessResult {
        try run(program, arguments, timeoutSeconds)
    }

    private func run(_ path: String, _ arguments: [String], _ timeoutSeconds: Double) throws -> ProcessResult {
        try identity.run(
            path,
            arguments: arguments,
            environment: environment,
            currentDirectory: project,
            timeoutSeconds: timeoutSeconds
        )
    }

    /// Runs a script as root in a mount namespace of its own; `$BAILEY` is the program, `$YARD` the place.
    func privately(_ script: String) throws -> ProcessResult {
        try ProcessRunner.run(
            "/usr/bin/unshare",
            arguments: ["-m", "/bin/bash", "-euc", script],
            environment: environment.merging(["BAILEY": program, "YARD": path, "SAMPLES": Self.samples]) { $1 },
            currentDirectory: path,
            timeoutSeconds: 120
        )
    }

    /// Everything in the project but Bailey's own: name, kind, mode, link target, content.
    ///
    /// - Parameter volatile: a shell pattern of paths whose content differs between any two builds.
    func picture(volatile: String) throws -> String {
        let result = try outside(
            """
            find . -path ./.bailey -prune -o -printf '%P %y %m %l\\n' | LC_ALL=C sort
            find . -path ./.bailey -prune -o -path './\(volatile)' -o -type f -exec sha256sum {} + | LC_ALL=C sort
            """
        )
        guard result.status == 0 else { throw ProjectError(result.summary) }
        return result.stdout
    }

    /// Whether every one of the programs lies in a directory of the system, where both accounts find it.
    static func has(_ programs: [String]) -> Bool {
        programs.allSatisfy { program in
            ["/usr/local/bin/", "/usr/bin/", "/bin/", "/usr/sbin/"].contains { access($0 + program, X_OK) == 0 }
        }
    }

    private static let samples = (#filePath as NSString).deletingLastPathComponent + "/Projects"
    static let root = ((samples as NSString).deletingLastPathComponent as NSString).deletingLastPathComponent + "/.."
}

/// A test's surroundings could not be made.
struct ProjectError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
