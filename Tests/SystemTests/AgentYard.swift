import Foundation
import TestSupport

/// A yard with a provider of models outside, `Tests/Fixtures/agents/provider.py`, under providers' real names, which
/// the operator's configuration declares as upstreams, and a small agent in the project, `agent.py`.
final class AgentYard {
    let yard: Yard
    /// What the provider takes for its key: made for this value, and shaped like a real one.
    let key: String
    private let provider: FixtureProcess
    private let port: Int

    static let anthropic = "api.anthropic.com"
    static let openAI = "api.openai.com"
    /// Declared as an upstream like the providers, and bound to nothing.
    static let other = "files.example.com"

    /// - Parameter extra: more lines of the operator's configuration.
    init(_ identity: TestIdentity = TestIdentity.available[0], extra: String = "") throws {
        yard = try Yard(identity)
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        key = "sk-ant-" + "api03-" + String((0..<60).map { _ in letters[Int.random(in: 0..<letters.count)] })
        try yard.write(key, to: "outside/key")
        try yard.write(#"{"steps": []}"#, to: "outside/script.json")
        try yard.write(try Self.fixture("client.py"), to: "project/agent.py")
        let hosts = [Self.anthropic, Self.openAI, Self.other]
        provider = try FixtureProcess(Self.fixturePath("provider.py"), [yard.path + "/outside"] + hosts)
        port = Int(provider.firstLine.dropFirst("https=".count)) ?? 0
        guard port > 0 else { throw YardError("start the provider: it said \"\(provider.firstLine)\"") }
        try yard.write(yard.read("outside/ca.pem"), to: "config/bailey/outside.pem")
        let upstreams = hosts.map {
            "    - {host: \($0), port: 443, address: \"127.0.0.1:\(port)\", ca: outside.pem}\n"
        }
        try yard.write("network:\n  upstreams:\n" + upstreams.joined() + extra, to: "config/bailey/config.yml")
    }

    /// What the model says next: commands for the agent's shell, then a last sentence.
    func script(_ commands: [String], holdingAt held: Int? = nil) throws {
        var steps: [[String: Any]] = commands.map { ["call": "bash", "input": ["command": $0]] }
        steps.append(["text": "that is all"])
        if let held { steps[held]["hold"] = "search" }
        let text = try JSONSerialization.data(withJSONObject: ["steps": steps])
        try yard.write(String(decoding: text, as: UTF8.self), to: "outside/script.json")
    }

    /// The agent's command line.
    static func agent(_ dialect: String, _ options: String...) -> [String] {
        ["/usr/bin/python3", "agent.py", dialect] + options + ["Do it."]
    }

    /// Runs the agent and, while it waits for the answer at which the script holds, the body.
    func run(
        _ words: [String],
        with extra: [String: String] = [:],
        whileHeld body: (pid_t) throws -> Void
    ) throws -> ProcessResult {
        let run = try Background(yard, ["run"] + words, with: extra, output: yard.path + "/output")
        let isHeld = Eventually.holds(withinSeconds: 60) {
            yard.exists("outside/hold-search") || !run.isRunning
        }
        defer { try? yard.write("", to: "outside/go-search") }
        guard isHeld, run.isRunning else { throw YardError("the agent ended early: \(try yard.read("output"))") }
        try body(run.processID)
        try yard.write("", to: "outside/go-search")
        guard let status = run.end() else { throw YardError("the agent does not end") }
        var result = ProcessResult()
        result.status = status
        result.standardOutput = Array(try yard.read("output").utf8)
        return result
    }

    /// What stands for a key inside, which the script has written to `seen.txt`.
    func placeholder(_ variable: String) throws -> String {
        let found = try ProcessRunner.run(
            "/usr/bin/find",
            arguments: [yard.bailey, "-name", "seen.txt", "-exec", "cat", "{}", "+"]
        )
        guard let line = found.stdout.split(separator: "\n").first(where: { $0.hasPrefix(variable + "=") }) else {
            throw YardError("find \(variable) inside: \(found.summary)")
        }
        return String(line.dropFirst(variable.count + 1))
    }

    /// The requests that arrived outside, in order.
    func requests() throws -> [Answer] {
        try yard.read("outside/requests.jsonl").split(separator: "\n").map { try Answer(Data($0.utf8)) }
    }

    /// The body of a request that arrived.
    func body(_ number: Int) throws -> String { try yard.read("outside/bodies/\(number)") }

    /// Where the needles are: `NEEDLE in PLACE`, in whatever form.
    ///
    /// - Parameter places: as `search.py` names them.
    func search(_ needles: [String: String], _ places: [String]) throws -> [String] {
        let file = "outside/needles.json"
        try yard.write(String(decoding: try JSONSerialization.data(withJSONObject: needles), as: UTF8.self), to: file)
        let found = try ProcessRunner.run(
            "/usr/bin/python3",
            arguments: [Self.fixturePath("search.py"), yard.path + "/" + file] + places,
            timeoutSeconds: 120
        )
        guard found.status == 0 else { throw YardError(found.summary) }
        return try found.answer.objects("hits").map { "\($0["needle"] ?? "") in \($0["place"] ?? "")" }
    }

    private static func fixturePath(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/agents/" + name).path
    }

    private static func fixture(_ name: String) throws -> String {
        try String(contentsOfFile: fixturePath(name), encoding: .utf8)
    }
}

/// A Python program of `Tests/Fixtures` that says a line when it is ready and lives until its standard input ends,
/// which happens when the value is gone.
final class FixtureProcess {
    let firstLine: String
    private let process = Process()
    private let input = Pipe()

    init(_ program: String, _ arguments: [String]) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = [program] + arguments
        process.standardInput = input
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let said = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        firstLine = said.split(separator: "\n").first.map(String.init) ?? ""
    }

    deinit {
        try? input.fileHandleForWriting.close()
        while process.isRunning { usleep(5000) }
    }
}
