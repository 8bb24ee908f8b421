import Foundation
import TestSupport

/// A yard with a world outside: an HTTPS server, an HTTP server and one that echoes, which the operator's configuration
/// declares as upstreams under names of the test.
final class NetworkYard {
    let yard: Yard
    private let server: OutsideServer

    /// The certificate of the world outside, inside the project.
    static let authority = "ca.pem"
    /// Listed on 443 and 80, and on 7777 for bytes that are echoed.
    static let host = "api.example.test"
    /// A second name of the same servers.
    static let other = "files.example.test"
    /// In the certificate, and listed nowhere.
    static let unlisted = "secret.example.test"

    /// - Parameter hosts: what the servers are called, beside ``unlisted``.
    init(
        _ identity: TestIdentity = TestIdentity.available[0],
        hosts: [String] = [host, other],
        extra: String = ""
    ) throws {
        yard = try Yard(identity)
        server = try OutsideServer(in: yard.path + "/outside", names: hosts + [Self.unlisted])
        let authority = try String(contentsOfFile: server.path + "/ca.pem", encoding: .utf8)
        try yard.write(authority, to: "config/bailey/outside.pem")
        try yard.write(authority, to: "project/" + Self.authority)
        let upstreams = hosts.flatMap { host in
            [(443, server.ports["https"]), (80, server.ports["http"]), (7777, server.ports["echo"])].map { port, real in
                let place = "127.0.0.1:\(real ?? 0)"
                return "    - {host: \(host), port: \(port), address: \"\(place)\", ca: outside.pem}"
            }
        }
        try yard.write(
            "network:\n  upstreams:\n" + upstreams.joined(separator: "\n") + "\n" + extra,
            to: "config/bailey/config.yml"
        )
    }

    /// Runs a shell script behind the wall.
    func inside(_ script: String, _ options: String..., with extra: [String: String] = [:]) throws -> ProcessResult {
        try yard.bailey(["run"] + options + ["--", "/bin/sh", "-c", script], with: extra)
    }

    /// The requests that arrived outside, one a line.
    func seen() throws -> String { try yard.read("outside/seen.log") }

    /// The port of a server on the host's loopback: `https`, `http` or `echo`.
    func port(_ name: String) -> Int { server.ports[name] ?? 0 }

    /// A git repository below `/files/`, for clients that read files; `a.txt` in it has the line "cloned text".
    func makeRepository(_ name: String) throws {
        let make = """
            git init -q -b main "$YARD/outside/\(name)" && cd "$YARD/outside/\(name)" && echo 'cloned text' > a.txt &&
            git add a.txt && git -c user.name=t -c user.email=t@example.test commit -qm one &&
            git clone -q --bare . ../files/\(name).git && git -C ../files/\(name).git update-server-info
            """
        let made = try ProcessRunner.run(
            "/bin/bash",
            arguments: ["-c", make],
            environment: yard.environment.merging(["YARD": yard.path]) { $1 }
        )
        guard made.status == 0 else { throw YardError(made.summary) }
    }
}

/// `Tests/Fixtures/network/server.py`, until the value is gone.
final class OutsideServer {
    let path: String
    /// Ports on the host's loopback by the server's name.
    let ports: [String: Int]
    private let process = Process()
    private let input = Pipe()

    init(in path: String, names: [String]) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/network/server.py").path
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = [script, path] + names
        process.standardInput = input
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let words = line.split(whereSeparator: \.isWhitespace).map { $0.split(separator: "=") }
        ports = Dictionary(words.compactMap { $0.count == 2 ? (String($0[0]), Int($0[1]) ?? 0) : nil }) { $1 }
        guard ports.count == 3 else { throw YardError("start the servers outside: they said \"\(line)\"") }
    }

    deinit {
        try? input.fileHandleForWriting.close()
        while process.isRunning { usleep(5000) }
    }
}
