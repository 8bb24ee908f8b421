import Broker
import Foundation
import TestSupport
import Testing

@Suite("OpenSSL speaks through the doors as it does without them")
struct RealTLSTests {
    /// A server that wants another key share than the client offers at first, so that every hello is said twice.
    private static let script = #"""
        set -u
        cd "$1"; port=$2; proxy=$3
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out certificate \
            -days 1 -subj /CN=test >/dev/null 2>&1
        openssl s_server -accept 127.0.0.1:$port -cert certificate -key key -groups P-384 -www -quiet >log 2>&1 &
        server=$!
        trap 'kill $server' EXIT
        tries=0
        until openssl s_client -connect 127.0.0.1:$port </dev/null >/dev/null 2>&1; do
            tries=$((tries + 1)); [ $tries -lt 100 ] || exit 9
            sleep 0.1
        done
        ask() {
            printf 'GET / HTTP/1.0\r\n\r\n' | timeout 20 openssl s_client -ign_eof -tls1_3 -groups X25519:P-384 \
                -msg -proxy 127.0.0.1:$proxy -connect "p$port.example.com:443" "$@" 2>&1 | tr -d '\r'
        }
        ask -servername "p$port.example.com" >answer
        grep -c 'ClientHello' answer
        grep -c 'HTTP/1.0 200 ok' answer
        ask -servername evil.example.com | grep -c 'unrecognized name'
        ask -noservername | grep -c 'unrecognized name'
        """#

    @Test func alsoWhereItsServerAsksForAnotherHello() throws {
        let yard = try TestYard(allow: ["*.example.com"])
        defer { yard.stop() }
        let directory = try TemporaryDirectory()
        let port: UInt16
        do { port = Listener().port }
        let result = try ProcessRunner.run(
            "/bin/sh",
            arguments: ["-c", Self.script, "sh", directory.path, String(port), String(yard.proxyPort)],
            timeoutSeconds: 90
        )
        let counts = String(decoding: result.standardOutput, as: UTF8.self).split(separator: "\n").compactMap {
            Int($0)
        }
        #expect(result.status == 0)
        try #require(counts.count == 4, "\(String(decoding: result.standardError, as: UTF8.self))")
        #expect(counts[0] == 2)
        #expect(counts.dropFirst().allSatisfy { $0 > 0 })
    }
}
