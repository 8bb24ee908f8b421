import Foundation
import TestSupport
import Testing

/// One wrong input: what is prepared, what is called, what the answer must say.
struct BadInput: CustomTestStringConvertible, Sendable {
    let name: String
    /// A shell script that prepares the place, run outside in the project.
    var preparation = ""
    let arguments: [String]
    let code: Int32
    /// What standard error must name: the input, the rule, the fix.
    let says: [String]
    /// Whether the project's `.bailey` may exist afterwards.
    var leavesRun = false

    init(
        _ name: String,
        _ arguments: [String],
        _ code: Int32,
        _ says: [String],
        prepare: String = "",
        leavesRun: Bool = false
    ) {
        self.name = name
        self.arguments = arguments
        self.code = code
        self.says = says
        preparation = prepare
        self.leavesRun = leavesRun
    }

    var testDescription: String { name }

    static let commands = [
        BadInput(
            "no such command",
            ["run", "--", "nosuchcommand"],
            127,
            ["nosuchcommand", "not found", "--readable"],
            leavesRun: true
        ),
        BadInput("no such path", ["run", "--", "./absent"], 127, ["./absent", "not found"], leavesRun: true),
        BadInput(
            "not executable",
            ["run", "--", "./plain"],
            126,
            ["./plain", "Permission denied", "execute permission"],
            prepare: "echo text > plain",
            leavesRun: true
        ),
        BadInput("a directory", ["run", "--", "/usr"], 126, ["/usr", "Permission denied"], leavesRun: true),
        BadInput(
            "missing interpreter",
            ["run", "--", "./script"],
            126,
            ["./script", "No such file", "interpreter"],
            prepare: "printf '#!/no/such/interpreter\\n' > script; chmod +x script",
            leavesRun: true
        ),
        BadInput(
            "neither program nor script",
            ["run", "--", "./noise"],
            126,
            ["./noise", "Exec format error"],
            prepare: "printf '\\1\\2\\3\\4' > noise; chmod +x noise",
            leavesRun: true
        ),
        BadInput("no command", ["run", "--"], 2, ["none was given", "bailey run -- COMMAND"]),
        BadInput("an empty command", ["run", "--", ""], 2, ["none was given"]),
        BadInput("unknown option", ["run", "--nosuch", "--", "true"], 2, ["--nosuch", "unknown option", "--help"]),
        BadInput("an option without --", ["run", "--nosuch", "true"], 2, ["--nosuch", "after --"]),
        BadInput("unknown noun", ["nosuch"], 2, ["nosuch", "--help"]),
        BadInput("unknown verb", ["runs", "nosuch"], 2, ["nosuch", "--help"]),
    ]

    static let values = [
        BadInput("timeout", ["run", "--timeout", "abc", "--", "true"], 2, ["--timeout abc", "It takes", "5m"]),
        BadInput("timeout zero", ["run", "--timeout", "0", "--", "true"], 2, ["--timeout 0", "above zero"]),
        BadInput(
            "timeout too long",
            ["run", "--timeout", "99999999999999999999", "--", "true"],
            2,
            ["--timeout", "a year"]
        ),
        BadInput("memory", ["run", "--memory", "-1", "--", "true"], 2, ["--memory -1", "above zero"]),
        BadInput("memory unit", ["run", "--memory", "5X", "--", "true"], 2, ["--memory 5X", "MiB"]),
        BadInput("cpu time", ["run", "--cpu-time", "", "--", "true"], 2, ["--cpu-time", "It takes"]),
        BadInput("processes", ["run", "--processes", "many", "--", "true"], 2, ["--processes many", "It takes"]),
        BadInput(
            "output limit",
            ["run", "--output-limit", "1e9", "--", "true"],
            2,
            ["--output-limit 1e9", "It takes"]
        ),
        BadInput("no value at all", ["run", "--timeout"], 2, ["--timeout"]),
        BadInput(
            "a gate that is not there",
            ["run", "--workspace", "direct", "--apply", "ask", "--", "true"],
            2,
            ["--apply", "overlay"]
        ),
        BadInput("apply mode", ["run", "--apply", "perhaps", "--", "true"], 2, ["perhaps", "auto"]),
        BadInput("workspace mode", ["run", "--workspace", "direct-ish", "--", "true"], 2, ["direct-ish", "overlay"]),
        BadInput("engine", ["run", "--engine", "docker", "--", "true"], 2, ["docker", "native"]),
        BadInput("variable name", ["run", "--env", "1X", "--", "true"], 2, ["1X", "no variable name", "--env NAME"]),
        BadInput("variable without name", ["run", "--env", "=x", "--", "true"], 2, ["no variable name"]),
        BadInput(
            "variable not set",
            ["run", "--env", "MISSING", "--", "true"],
            2,
            ["MISSING", "not set", "MISSING=VALUE"]
        ),
        BadInput("readable root", ["run", "--readable", "/", "--", "true"], 2, ["/", "everything"]),
        BadInput(
            "readable relative",
            ["run", "--readable", "some/where", "--", "true"],
            2,
            ["some/where", "absolute"]
        ),
        BadInput("readable dots", ["run", "--readable", "/usr/../etc", "--", "true"], 2, ["/usr/../etc", ".."]),
        BadInput(
            "readable missing",
            ["run", "--readable", "/no/such", "--", "true"],
            2,
            ["/no/such", "No such file"]
        ),
        BadInput("readable too wide", ["run", "--readable", "/etc", "--", "true"], 2, ["/etc", "narrower"]),
    ]

    static let places = [
        BadInput("the root", ["run", "--project", "/", "--", "true"], 2, ["/", "not a project", "--project"]),
        BadInput("a system directory", ["run", "--project", "/usr", "--", "true"], 2, ["/usr", "system"]),
        BadInput(
            "a file",
            ["run", "--project", "file", "--", "true"],
            2,
            ["file", "not a directory"],
            prepare: "touch file"
        ),
        BadInput("missing", ["run", "--project", "absent", "--", "true"], 2, ["absent", "No such file", "existing"]),
        BadInput("no runs yet", ["runs", "list"], 2, ["no command has been run", "bailey run"]),
        BadInput("no runs to verify", ["journal", "verify"], 2, ["no command has been run"]),
    ]
}

@Suite("Bad input of bailey run gets a clear answer and starts nothing")
struct RunBadInputTests {
    private func check(_ input: BadInput, _ yard: Yard) throws {
        if !input.preparation.isEmpty { try yard.outside(input.preparation) }
        let result = try yard.bailey(input.arguments)
        #expect(result.status == input.code, "\(result.summary)")
        for word in input.says { #expect(result.stderr.contains(word), "\(word): \(result.summary)") }
        #expect(result.stdout.isEmpty)
        #expect(input.leavesRun || !yard.exists("project/.bailey"), "something was made")
    }

    @Test(arguments: BadInput.commands) func command(_ input: BadInput) throws { try check(input, Yard()) }
    @Test(arguments: BadInput.values) func value(_ input: BadInput) throws { try check(input, Yard()) }
    @Test(arguments: BadInput.places) func place(_ input: BadInput) throws { try check(input, Yard()) }

    @Test func homeAndWhatHoldsIt() throws {
        let yard = try Yard()
        for place in [yard.home, yard.path] {
            let result = try yard.bailey(["run", "--project", place, "--", "true"])
            #expect(result.status == 2)
            #expect(result.stderr.contains(place), "\(result.summary)")
            #expect(result.stderr.contains("home directory"))
        }
        let standing = try yard.bailey(["run", "--", "true"], in: yard.home)
        #expect(standing.status == 2)
    }

    @Test func credentialPlaces() throws {
        let yard = try Yard()
        for place in [".ssh", ".aws", ".config/gh", ".gnupg"] {
            try yard.write("x", to: "home/\(place)/file")
            let result = try yard.bailey(["run", "--readable", "\(yard.home)/\(place)", "--", "true"])
            #expect(result.status == 2, "\(place): \(result.summary)")
            #expect(result.stderr.contains("credentials"))
        }
        // A link elsewhere leads to the same place.
        try yard.outside("ln -s '\(yard.home)/.ssh' innocent")
        let linked = try yard.bailey(["run", "--readable", yard.project + "/innocent", "--", "true"])
        #expect(linked.status == 2, "\(linked.summary)")
        let home = try yard.bailey(["run", "--readable", yard.home, "--", "true"])
        #expect(home.status == 2, "\(home.summary)")
    }

    @Test(arguments: TestIdentity.available.filter { $0 != .root })
    func projectThatIsNotWritable(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        try yard.outside("chmod 555 .")
        let result = try yard.bailey(["run", "--", "true"])
        #expect(result.status == 125)
        #expect(result.stderr.contains(yard.project), "\(result.summary)")
        #expect(result.stderr.contains("writable"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: yard.project).isEmpty)
    }

    @Test func argumentThatIsNoUTF8() throws {
        let yard = try Yard()
        let result = try yard.outside("\"$BAILEY\" run -- echo $'a\\xffb'")
        #expect(result.status == 2)
        #expect(result.stderr.contains("UTF-8"), "\(result.summary)")
        let valid = try yard.outside("\"$BAILEY\" run -- printf '%s' $'\\xef\\xbf\\xbd'")
        #expect(valid.status == 0, "the replacement character is a character: \(valid.summary)")
        #expect(valid.standardOutput == [0xEF, 0xBF, 0xBD])
    }

    @Test func insideOfASandbox() throws {
        let yard = try Yard(copies: true)
        let program = yard.path + "/bin"
        func nested(_ words: String) throws -> ProcessResult {
            try yard.inside("\(program)/bailey \(words)", "--readable", program)
        }
        let run = try nested("run -- true")
        #expect(run.status == 126)
        #expect(run.stderr.contains("inside of a Bailey sandbox"), "\(run.summary)")
        #expect(try nested("journal verify").status == 126)
        let version = try nested("--version")
        #expect(version.status == 0, "\(version.summary)")
        #expect(version.stdout.hasPrefix("0."))
    }
}
