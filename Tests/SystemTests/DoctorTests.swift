import Foundation
import TestSupport
import Testing

@Suite("bailey doctor tells what is wrong and what helps")
struct DoctorTests {
    @Test(arguments: TestIdentity.available) func well(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        try yard.bailey(["run", "--", "true"])
        let result = try yard.bailey(["doctor", "--strict"])
        #expect(result.status == 0, "\(result.summary)")
        #expect(result.stdout.hasSuffix("0 errors, 0 warnings\n"))
        for word in ["kernel", "launcher", "broker", "sandbox", "state", "key", "disk", "project"] {
            #expect(result.stdout.contains(" \(word): "), "\(word): \(result.summary)")
        }
        #expect(result.stdout.contains("own-system-calls, ") && result.stdout.contains("user-namespace"))
        let left = try yard.outside("ls ../state/bailey").stdout
        #expect(!left.contains("probe"))
    }

    @Test func warnings() throws {
        let yard = try Yard()
        try yard.write("A=b\n", to: "project/.env")
        try yard.outside("chmod 644 .env")
        let lax = try yard.bailey(["doctor"])
        #expect(lax.status == 0 && lax.stdout.contains("0 errors, 1 warnings"), "\(lax.summary)")
        #expect(lax.stdout.contains("chmod 600 \(yard.project)/.env"))
        #expect(try yard.bailey(["doctor", "--strict"]).status == 1)
        let answer = try yard.bailey(["doctor", "--json"]).answer
        #expect(answer.number("warnings") == 1 && answer.number("errors") == 0)
        let warning = answer.objects("checks").filter { $0["level"] as? String == "warning" }
        #expect(warning.count == 1 && (warning.first?["fix"] as? String)?.hasPrefix("chmod 600") == true)
        try yard.outside("chmod 600 .env")
        #expect(try yard.bailey(["doctor", "--strict"]).status == 0, "the fix helps")
    }

    @Test func directModeOverReadableSecrets() throws {
        let yard = try Yard()
        try yard.makeRepository([".env": "A=b\n", "other.env": "C=d\n"])
        try yard.outside("chmod 600 .env other.env; git rm -q --cached other.env; ln other.env plain")
        let before = try yard.bailey(["doctor"])
        #expect(before.status == 0, "\(before.summary)")
        #expect(try yard.bailey(["run", "--workspace", "direct", "--", "cat", ".env", "plain"]).stdout == "A=b\nC=d\n")
        let after = try yard.bailey(["doctor"])
        #expect(after.status == 1 && after.stdout.contains("2 errors"), "\(after.summary)")
        #expect(after.stdout.contains("direct mode: \(yard.project)/.env is in git"))
        #expect(after.stdout.contains("direct mode: \(yard.project)/other.env has another name"))
        try yard.outside("git rm -q --cached .env; cp -p other.env other.env.new && mv other.env.new other.env")
        #expect(try yard.bailey(["doctor"]).status == 0, "the fix helps")
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let script: String
        let says: String
    }

    static let faults = [
        Fault(testDescription: "open state", script: "chmod 755 ../state/bailey", says: "chmod 700"),
        Fault(testDescription: "open key", script: "chmod 644 ../state/bailey/signing.key", says: "chmod 600"),
        Fault(testDescription: "unregistered project", script: "rm -r ../state/bailey/projects", says: "project adopt"),
        Fault(
            testDescription: "configuration",
            script: "echo 'limit: x' > ../config/bailey/config.yml",
            says: "limits"
        ),
        Fault(
            testDescription: "project's configuration",
            script: "echo 'sandbox: {readable: [/x]}' > bailey.yml",
            says: "bailey.yml"
        ),
        Fault(testDescription: "open .bailey", script: "chmod 777 .bailey", says: "chmod 700"),
    ]

    @Test(arguments: faults) func errors(_ fault: Fault) throws {
        let yard = try Yard()
        try yard.bailey(["run", "--", "true"])
        try yard.outside(fault.script)
        let result = try yard.bailey(["doctor"])
        #expect(result.status == 1, "\(result.summary)")
        #expect(result.stdout.contains("error ") && result.stdout.contains(fault.says), "\(result.summary)")
        #expect(!result.stdout.contains("0 errors"))
        let answer = try yard.bailey(["doctor", "--json"])
        #expect(answer.status == 1)
        #expect((try answer.answer.number("errors") ?? 0) >= 1)
    }

    @Test func withoutALauncher() throws {
        let yard = try Yard(copies: true)
        try yard.outside("mv ../bin/bailey-launcher ../bin/away")
        let result = try yard.bailey(["doctor"])
        #expect(result.status == 1 && result.stdout.contains("launcher"), "\(result.summary)")
        let run = try yard.bailey(["run", "--", "true"])
        #expect(run.status == 125 && run.stderr.contains("bailey-launcher"), "\(run.summary)")
        try yard.outside("mv ../bin/away ../bin/bailey-launcher; chmod 777 ../bin/bailey-launcher")
        let open = try yard.bailey(["run", "--", "true"])
        #expect(open.status == 125 && open.stderr.contains("chmod go-w"), "\(open.summary)")
        #expect(try yard.bailey(["doctor"]).status == 1)
    }

    @Test("an entry for SSH is a warning with what to do, since a push there is not seen")
    func unseenPush() throws {
        let yard = try Yard()
        let plain = try yard.bailey(["doctor"])
        #expect(!plain.stdout.contains("is SSH"), "\(plain.summary)")
        try yard.write("network:\n  allow: [\"git.example.com:22\", git.example.com]\n", to: "config/bailey/config.yml")
        let result = try yard.bailey(["doctor"])
        #expect(result.stdout.contains("warning  network: git.example.com:22 is SSH"), "\(result.summary)")
        #expect(result.stdout.contains("have git use HTTPS there"), "\(result.summary)")
        #expect(result.stdout.components(separatedBy: "is SSH").count == 2, "\(result.summary)")
    }
}
