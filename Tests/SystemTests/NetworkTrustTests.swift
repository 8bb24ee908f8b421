import Foundation
import TestSupport
import Testing

/// What TLS that ends at the broker needs: programs that were told nothing at all trust the run's authority.
@Suite("programs that are told nothing trust the run's authority")
struct NetworkTrustTests {
    /// Every request to it is seen.
    private static let forge = "  forges: [api.example.test, files.example.test]\n"

    /// No variable is left but these.
    private static let bare = "env -i HOME=\"$HOME\" PATH=\"$PATH\" "

    private func inside(_ script: String, _ identity: TestIdentity = TestIdentity.available[0]) throws -> ProcessResult
    {
        let network = try NetworkYard(identity, extra: Self.forge)
        try network.makeRepository("work")
        let result = try network.inside(script)
        let log = try network.yard.bailey(["egress", "log", "--json"])
        #expect(log.stdout.contains(#""treatment":"terminated""#), "\(log.summary)")
        return result
    }

    @Test("curl, wget, git and Python without a variable", arguments: TestIdentity.available)
    func variables(_ identity: TestIdentity) throws {
        let script = """
            \(Self.bare) curl -sS https://api.example.test/curl
            \(Self.bare) wget -q -O - https://api.example.test/wget
            \(Self.bare) git clone -q https://files.example.test/files/work.git copy && cat copy/a.txt
            \(Self.bare) /usr/bin/python3 -c \
                'import urllib.request as r; print(r.urlopen("https://api.example.test/py").read())'
            """
        let result = try inside(script, identity)
        for line in ["hello https /curl", "hello https /wget", "cloned text", "b'hello https /py"] {
            #expect(result.stdout.contains(line), "\(line): \(result.summary)")
        }
    }

    @Test("Java's HttpClient, of every JDK that is there", .enabled(if: !Self.jdks.isEmpty, "there is no Java"))
    func java() throws {
        let script = """
            cat > Fetch.java <<'PROGRAM'
            import java.net.URI;
            import java.net.http.*;
            class Fetch {
                public static void main(String[] words) throws Exception {
                    var request = HttpRequest.newBuilder(URI.create("https://api.example.test/" + words[0])).build();
                    var answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
                    System.out.print(answer.body());
                }
            }
            PROGRAM
            for jdk in \(Self.jdks.joined(separator: " ")); do
                \(Self.bare) $jdk/bin/java Fetch.java java 2>&1
                $jdk/bin/keytool -list -keystore /run/bailey/cacerts -storepass changeit 2>&1 |
                    grep -c trustedCertEntry > count
                test "$(cat count)" = "$(grep -c BEGIN /run/bailey/ca-certificates.pem)" && echo all
            done
            """
        let result = try inside(script)
        let expected = String(repeating: "hello https /java\nall\n", count: Self.jdks.count)
        #expect(result.stdout == expected, "\(result.summary)")
    }

    @Test("a run without a network sees the host's own roots", arguments: TestIdentity.available)
    func without(_ identity: TestIdentity) throws {
        let result = try Yard(identity).inside(
            "cat /etc/ssl/certs/ca-certificates.crt | sha256sum; ls /run/bailey /etc/gitconfig 2>&1"
        )
        let outside = try ProcessRunner.run("/usr/bin/sha256sum", arguments: ["/etc/ssl/certs/ca-certificates.crt"])
        #expect(result.stdout.prefix(64) == outside.stdout.prefix(64), "\(result.summary)")
        #expect(!result.stdout.contains("cacerts") && result.stdout.contains("No such file"), "\(result.summary)")
    }

    @Test("what lies over the host's roots cannot be changed, and the host's are as they were")
    func isReadOnly() throws {
        let places = "/etc/ssl/certs/ca-certificates.crt /etc/ssl/cert.pem /run/bailey/cacerts"
        let before = try ProcessRunner.run("/usr/bin/sha256sum", arguments: ["/etc/ssl/certs/ca-certificates.crt"])
        let network = try NetworkYard()
        let result = try network.inside(
            """
            for place in \(places); do
                cmp -s $place /run/bailey/ca-certificates.pem && echo same
                (echo x >> $place) 2>/dev/null && echo written
                rm -f $place 2>/dev/null && echo removed
            done
            """
        )
        #expect(result.stdout == "same\nsame\n", "\(result.summary)")
        let after = try ProcessRunner.run("/usr/bin/sha256sum", arguments: ["/etc/ssl/certs/ca-certificates.crt"])
        #expect(before.stdout == after.stdout)
    }

    @Test("roots that the operator shows are covered as well")
    func readable() throws {
        let network = try NetworkYard()
        let script = "cmp /etc/ssl/certs/ca-certificates.crt /run/bailey/ca-certificates.pem && echo same"
        for place in ["/etc/ssl/certs", "/etc/ssl/certs/ca-certificates.crt"] {
            let result = try network.inside(script, "--readable", place)
            #expect(result.stdout == "same\n", "\(place): \(result.summary)")
        }
    }

    /// JDKs below `/usr/lib/jvm`, each once.
    private static let jdks: [String] = {
        let places = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/jvm")) ?? []
        let homes = places.map { URL(fileURLWithPath: "/usr/lib/jvm/" + $0).resolvingSymlinksInPath().path }
        return Set(homes).filter { FileManager.default.isExecutableFile(atPath: $0 + "/bin/keytool") }.sorted()
    }()
}
