import Foundation
import TestSupport

/// The place of one campaign: a home, a project, a canary directory that nothing may touch, and Bailey's state.
///
/// It lies in `/var/tmp`, which no sandbox shows, so that a private `/tmp` is not what hides it.
final class AttackYard {
    let identity: TestIdentity
    let path: String
    let bailey: String
    /// A number that marks everything of this campaign.
    let nonce = String(UInt32.random(in: 0x1000_0000..<0x7000_0000), radix: 16)
    let marker = "marker-" + String(UInt64.random(in: 1 << 60..<1 << 62), radix: 36)
    let secret = "hidden-" + String(UInt64.random(in: 1 << 60..<1 << 62), radix: 36)
    private let base: TemporaryDirectory

    var canary: String { path + "/canary" }
    var home: String { path + "/home" }
    var project: String { path + "/project" }
    var probe: String { path + "/bin/probe" }
    /// Files of the host that lie where every sandbox has a directory of its own.
    var sharedFiles: [String] { ["/tmp/bailey-host-" + nonce, "/dev/shm/bailey-host-" + nonce] }

    init(_ identity: TestIdentity) throws {
        self.identity = identity
        base = try TemporaryDirectory("bailey-attack", in: "/var/tmp")
        path = base.path
        for directory in ["bin", "canary/repository/.git", "home/.ssh", "state"] {
            try FileManager.default.createDirectory(atPath: path + "/" + directory, withIntermediateDirectories: true)
        }
        let marked = ["canary/secret.txt", "canary/victim-f06.txt", "canary/input.txt"]
        for file in marked + ["home/.ssh/id_stand_in", "home/.bashrc"] { try base.write(marker + "\n", to: file) }
        for name in Self.credentials { try base.write(marker + "\n", to: "home/" + name) }
        try base.write("", to: "canary/inherited.txt")
        try base.write("[user]\n\tname = \(marker)\n", to: "canary/repository/.git/config")
        try base.write("ref: refs/heads/main\n", to: "canary/repository/.git/HEAD")
        try base.write(marker, to: "canary/repository/.git/objects/private")
        try base.write("", to: "canary/repository/.git/refs/none")
        bailey = try BuiltProducts.install(in: path + "/bin")
        try ProbeProgram.install(at: probe)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        try identity.own(path)
        for file in sharedFiles {
            try (marker + "\n").write(toFile: file, atomically: false, encoding: .utf8)
            try identity.own(file)
        }
        try makeProject(project)
    }

    /// Files of a home that hold credentials or tell what somebody did.
    private static let credentials = [
        ".netrc", ".aws/credentials", ".kube/config", ".bash_history", ".git-credentials", ".docker/config.json",
        ".config/gcloud/application_default.json", ".mozilla/firefox/profile/logins.json",
    ]

    /// Removes the projects, homes and canaries that an attempt was made with, so that it can be made again.
    func clear(_ row: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        for name in names where name == row || name.hasSuffix("-" + row) { Self.remove(path + "/" + name) }
    }

    /// Removes everything, also what a control left in shared directories.
    func remove() {
        for directory in ["/tmp", "/dev/shm"] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            for name in names where name.hasPrefix("bailey-") && name.contains(nonce) {
                try? FileManager.default.removeItem(atPath: directory + "/" + name)
            }
        }
        Self.remove(path)
    }

    /// Trees deeper than a path can say are beyond FileManager; an overlay leaves directories nobody may enter.
    private static func remove(_ tree: String) {
        let remove = "rm -rf \"$1\" 2>/dev/null || { chmod -R u+rwX \"$1\"; rm -rf \"$1\"; }"
        let words = ["-c", remove, "sh", tree]
        _ = try? ProcessRunner.run("/bin/sh", arguments: words, timeoutSeconds: removalSeconds)
    }

    /// Some hundred projects on a busy machine.
    private static let removalSeconds = 600.0

    /// The caller's environment, full of what must not get inside.
    var environment: [String: String] {
        var environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home, "XDG_STATE_HOME": path + "/state"]
        environment["BAILEY_TEST_SECRET"] = secret
        environment["SSH_AUTH_SOCK"] = home + "/agent.sock"
        environment["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=" + home + "/agent.sock"
        for name in ["BASH_ENV", "ENV", "PYTHONPATH", "NODE_OPTIONS", "GIT_SSH_COMMAND", "PROMPT_COMMAND"] {
            environment[name] = "/nonexistent-bailey"
        }
        return environment
    }

    /// What every attempt must know, as KEY=VALUE words.
    var words: [String] {
        [
            "nonce=" + nonce, "marker=" + marker, "secret=" + secret, "canary=" + canary, "home=" + home,
            "state=" + path + "/state", "key=bailey-key-" + nonce,
        ]
    }

    /// A small git repository with the probe in it.
    func makeProject(_ directory: String) throws {
        let script = """
            mkdir "$1" && cd "$1" && git init -q -b main && mkdir source &&
            echo one > source/main.txt && echo two > notes.txt &&
            printf '/probe\\n' > .gitignore && git add -A && git -c user.name=a -c user.email=a@b commit -qm first &&
            cp "$2" probe
            """
        let result = try identity.run(
            "/bin/sh",
            arguments: ["-c", script, "sh", directory, probe],
            environment: ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home]
        )
        guard result.status == 0 else { throw AttackError("make a project: \(result.summary)") }
    }

    /// Runs a command behind the wall.
    func wall(
        _ command: [String],
        in project: String,
        options: [String] = ["--apply", "never"],
        wrapper: [String] = [],
        timeoutSeconds: Double = 60
    ) throws -> ProcessResult {
        let words = wrapper + [bailey, "run", "--project", project] + options + ["--"] + command
        return try identity.run(
            words[0],
            arguments: Array(words.dropFirst()),
            environment: environment,
            currentDirectory: project,
            timeoutSeconds: timeoutSeconds
        )
    }

    /// Runs a command outside, as the same account.
    func outside(
        _ command: [String],
        in project: String,
        wrapper: [String] = [],
        home: String? = nil,
        timeoutSeconds: Double = 60
    ) throws -> ProcessResult {
        let words = wrapper + command
        return try identity.run(
            words[0],
            arguments: Array(words.dropFirst()),
            environment: environment.merging(home.map { ["HOME": $0] } ?? [:]) { $1 },
            currentDirectory: project,
            timeoutSeconds: timeoutSeconds
        )
    }

    /// Leaves two descriptors open, gives a file as input, puts a key into the session keyring and takes a terminal,
    /// then runs the rest.
    var temptations: [String] {
        let script = "exec 9< / 8>> \"$0/inherited.txt\" < \"$0/input.txt\"; exec \"$@\""
        let shell = ["/bin/sh", "-c", script, canary]
        return shell + [probe, "with-key", "bailey-key-" + nonce, probe, "with-tty"]
    }

    /// Every entry below a directory but Bailey's own: name, kind, mode, size, link target; of files also inode and
    /// ctime, which no change leaves alone.
    func listing(_ directory: String) throws -> String {
        let format = "%P\t%y\t%m\t%s\t%l\t%i\t%C@\n"
        let folders = "%P\t%y\t%m\n"
        let result = try ProcessRunner.run(
            "/usr/bin/find",
            arguments: [
                directory, "-path", directory + "/.bailey", "-prune", "-o", "-path", directory, "-o",
                "-type", "d", "-printf", folders, "-o", "-printf", format,
            ]
        )
        return result.stdout.split(separator: "\n").sorted().joined(separator: "\n")
    }
}
