import Foundation
import TestSupport
import Testing

@Suite("a run says at its end, and later, what it did")
struct RunPageTests {
    /// Nothing, or what there is to say.
    @Test("nothing is printed of a quick command, unless one asks", arguments: TestIdentity.available)
    func quick(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        for script in ["true", "exit 3", "echo out; echo error >&2"] {
            let run = try yard.inside(script)
            #expect(!run.stderr.contains("bailey:"), "\(run.summary)")
        }
        let asked = try yard.bailey(["run", "--summary", "--", "sh", "-c", "echo x > a; exit 3"])
        let run = try yard.lastRun()
        #expect(asked.status == 3 && asked.stderr.contains("bailey: exit 3 after "), "\(asked.summary)")
        #expect(asked.stderr.contains("changes are held (1 created, 0 changed, 0 deleted)"))
        #expect(
            asked.stderr.hasSuffix("bailey: all of it: bailey runs show \(run)\n") && !asked.stderr.contains("\u{1B}")
        )
        let connects = "import socket; socket.socket().connect(('203.0.113.9', 443))"
        let quiet = try yard.bailey(["run", "--quiet", "--", "python3", "-c", connects])
        #expect(quiet.status == 1 && !quiet.stderr.contains("bailey:"), "\(quiet.summary)")
        for other in ["--quiet", "--json"] {
            let both = try yard.bailey(["run", "--summary", other, "--", "true"])
            #expect(both.status == 2 && both.stderr.contains(other), "\(both.summary)")
        }
    }

    @Test("hosts are told with their bytes, at the end, as JSON and later", arguments: TestIdentity.available)
    func hosts(_ identity: TestIdentity) throws {
        let network = try NetworkYard(identity)
        let yard = network.yard
        let script =
            "for i in 1 2; do curl -sf https://\(NetworkYard.host)/ -o out; done; getent hosts \(NetworkYard.unlisted)"
        let run = try network.inside(script)
        #expect(run.stderr.contains("bailey: reached \(NetworkYard.host):443 (2 connections, "), "\(run.summary)")
        #expect(run.stderr.contains("bailey: exit 2 after"), "\(run.summary)")
        let json = try network.inside(script, "--json").answer
        let host = try #require(json.objects("hosts").first)
        #expect(host["host"] as? String == NetworkYard.host && host["port"] as? Int == 443)
        #expect(host["connections"] as? Int == 2 && (host["bytes_in"] as? Int ?? 0) > 0)
        #expect(json.number("denials.count") ?? 0 > 0 && json.isNull("models"))
        let page = try yard.bailey(["runs", "show"]).stdout
        #expect(page.contains("reached   \(NetworkYard.host):443 (2 connections"), "\(page)")
        #expect(page.contains("refused   \(NetworkYard.unlisted)"), "\(page)")
        let shown = try yard.bailey(["runs", "show", "--json"]).answer
        #expect(shown.objects("hosts").first?["bytes_in"] as? Int == host["bytes_in"] as? Int)
        #expect(shown.objects("refused_connections").first?["target"] as? String == NetworkYard.unlisted)
    }

    @Test("the page of a run that lives, of one that was killed, and of one that is gone")
    func states() throws {
        let yard = try Yard()
        let token = "4\(UInt32.random(in: 100_000..<999_999))"
        let run = try Background(yard, ["run", "--memory", "1GiB", "--", "sleep", token])
        func isCommand(_ process: String) -> Bool { process.split(separator: " ").dropFirst().first == "sleep" }
        #expect(Eventually.holds { Leftovers.processes("sleep \(token)").contains(where: isCommand) })
        let live = try yard.bailey(["runs", "show"])
        #expect(live.status == 0 && live.stdout.contains("state     running"), "\(live.summary)")
        #expect(live.stdout.contains("memory 1.0 GB") && live.stdout.contains("in        \(yard.project)"))
        run.send(SIGTERM)
        #expect(run.end() == 143)
        let killed = try yard.bailey(["runs", "show", "--color", "always"]).stdout
        #expect(killed.contains("\u{1B}[31mkilled: terminated\u{1B}[m") && killed.contains("walls: user_namespace"))
        let name = try yard.lastRun()
        #expect(try yard.bailey(["runs", "prune", "--older-than", "0"]).status == 0)
        let gone = try yard.bailey(["runs", "show", name])
        #expect(gone.status == 0 && gone.stdout.contains("state     pruned") && gone.stdout.contains(name))
        #expect(try yard.bailey(["runs", "show", "--json", name]).answer.text("state") == "pruned")
    }

    @Test("of a damaged journal what is whole is shown, and that the rest is not")
    func damaged() throws {
        let yard = try Yard()
        try yard.inside("exit 3")
        let run = try yard.lastRun()
        let journal = ".bailey/runs/\(run)/journal/journal.jsonl"
        // A line that is one, and does not follow the one before it any more.
        try yard.outside("sed -i '2s/\"rule\":\"[a-z-]*\"/\"rule\":\"another\"/' \(journal)")
        let shown = try yard.bailey(["runs", "show"])
        #expect(shown.status == 125 && shown.stdout.contains("command   /bin/sh -c exit 3"), "\(shown.summary)")
        #expect(
            shown.stdout.contains("damaged   ") && shown.stdout.contains("line 3") && shown.stderr.contains("verify")
        )
        #expect(!shown.stdout.contains("exit 3\nstate"), "what follows is not believed")
        let json = try yard.bailey(["runs", "show", "--json"])
        #expect(json.status == 125)
        #expect(try json.answer.text("damage")?.contains("line 3") == true)
    }
}
