import Foundation
import TestSupport
import Testing

/// PostgreSQL's own protocol, in clear and with TLS that begins after a question: bytes are copied on other ports.
@Suite("a database behind a declared upstream", .enabled(if: DatabaseServer.programs != nil, "there is no PostgreSQL"))
struct NetworkDatabaseTests {
    @Test("psql reaches it by name, with and without TLS", arguments: TestIdentity.available)
    func psql(_ identity: TestIdentity) throws {
        let programs = try #require(DatabaseServer.programs)
        let port = try DatabaseServer.freePort()
        let upstream = #"    - {host: api.example.test, port: 5432, address: "127.0.0.1:\#(port)", ca: outside.pem}"#
        let network = try NetworkYard(identity, extra: upstream + "\n")
        let server = try DatabaseServer(port: port, certificates: network.yard.path + "/outside")
        let script = """
            ask() { \(programs)/psql "port=5432 user=tester dbname=postgres connect_timeout=30 $1" -Atc "$2"; }
            ask "host=api.example.test sslmode=disable" "select 'plain ' || 6 * 7"
            tls="select 'secure ' || ssl from pg_stat_ssl where pid = pg_backend_pid()"
            ask "host=api.example.test sslmode=require" "$tls"
            ask "host=api.example.test sslmode=verify-full sslrootcert=$SSL_CERT_FILE" "$tls"
            ask "host=secret.example.test sslmode=disable" "select 'through'" || echo held
            """
        let result = try network.inside(script)
        #expect(result.stdout == "plain 42\nsecure true\nsecure true\nheld\n", "\(result.summary)")
        let log = try network.yard.bailey(["egress", "log", "--json"])
        let spliced = log.stdout.split(separator: "\n").filter { $0.contains(#""port":5432"#) }
        #expect(spliced.count >= 3 && spliced.contains { $0.contains(#""treatment":"spliced""#) }, "\(log.summary)")
        withExtendedLifetime(server) {}
    }
}

/// A PostgreSQL of its own on loopback, until the value is gone. It takes everybody, and TLS from who wants it.
final class DatabaseServer {
    /// Where `postgres` and its companions lie, if they do.
    static let programs: String? = {
        let find = "dirname \"$(readlink -f \"$(command -v postgres || ls -d /usr/lib/postgresql/*/bin/postgres)\")\""
        let found = try? ProcessRunner.run("/bin/sh", arguments: ["-c", find])
        let place = (found?.stdout ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
        let isWhole = ["initdb", "pg_ctl", "postgres", "psql"].allSatisfy {
            FileManager.default.isExecutableFile(atPath: place + "/" + $0)
        }
        return isWhole ? place : nil
    }()

    private let place: TemporaryDirectory
    /// Neither PostgreSQL nor its tools run as root, and they want an account that has a name.
    private static let account = getuid() == 0 ? "/usr/bin/setpriv --reuid=65534 --regid=65534 --clear-groups" : ""

    static func freePort() throws -> UInt16 {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        guard Loopback.withAddress(0, { bind(socket, $0, $1) }) == 0 else { throw YardError("there is no free port") }
        return Loopback.port(of: socket)
    }

    /// - Parameter certificates: where `leaf.pem` and `leaf.key` lie.
    init(port: UInt16, certificates: String) throws {
        place = try TemporaryDirectory("bailey-database", in: "/var/tmp")
        let settings = """
            listen_addresses = '127.0.0.1'
            port = \(port)
            unix_socket_directories = ''
            fsync = off
            ssl = on
            """
        let run = try Self.shell(
            """
            set -e
            if [ "$(id -u)" = 0 ]; then chown 65534:65534 .; chmod 755 .; fi
            $ACCOUNT $PROGRAMS/initdb --no-sync -A trust -U tester -E UTF8 --locale=C -D data
            cp "$CERTIFICATES/leaf.pem" data/server.crt
            cp "$CERTIFICATES/leaf.key" data/server.key
            if [ "$(id -u)" = 0 ]; then chown 65534:65534 data/server.*; fi
            chmod 600 data/server.*
            printf '%s\\n' "$SETTINGS" >> data/postgresql.conf
            $ACCOUNT $PROGRAMS/pg_ctl -D data -l data/log -w -t 60 start || { cat data/log; exit 1; }
            """,
            in: place.path,
            ["SETTINGS": settings, "CERTIFICATES": certificates]
        )
        guard run.status == 0 else { throw YardError("start PostgreSQL: \(run.summary)") }
    }

    deinit { _ = try? Self.shell("$ACCOUNT $PROGRAMS/pg_ctl -D data -m immediate -w stop", in: place.path, [:]) }

    private static func shell(_ script: String, in path: String, _ extra: [String: String]) throws -> ProcessResult {
        let variables = ["PATH": "/usr/bin:/bin", "PROGRAMS": programs ?? "", "ACCOUNT": account, "LC_ALL": "C"]
        return try ProcessRunner.run(
            "/bin/bash",
            arguments: ["-c", script],
            environment: variables.merging(extra) { $1 },
            currentDirectory: path,
            timeoutSeconds: 120
        )
    }
}
