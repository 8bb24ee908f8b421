import Foundation
import TestSupport
import Testing

@Suite("bailey policy suggest prints what would have allowed it, and it does")
struct PolicySuggestTests {
    @Test("a name that is not listed, taken over as it is printed", arguments: TestIdentity.available)
    func name(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        try yard.write("network:\n  allow: [api.example.com]\n", to: "config/bailey/config.yml")
        let look = "getent hosts files.example.com; getent hosts db.internal; true"
        try yard.inside(look)
        let run = try yard.lastRun()
        let suggested = try yard.bailey(["policy", "suggest"])
        #expect(suggested.status == 0, "\(suggested.summary)")
        #expect(suggested.stdout.contains("    - 'api.example.com'  # as it is\n"), "\(suggested.stdout)")
        #expect(suggested.stdout.contains("\(run) line ") && suggested.stdout.contains("# - db.internal ("))
        #expect(try yard.bailey(["egress", "check", "files.example.com"]).status == 1)
        try yard.write(suggested.stdout, to: "config/bailey/config.yml")
        #expect(try yard.bailey(["egress", "check", "files.example.com", "api.example.com"]).status == 0)
        #expect(try yard.inside("getent hosts files.example.com").status == 0, "it is answered now")
        #expect(try yard.inside("getent hosts db.internal").status != 0)
        let again = try yard.bailey(["policy", "suggest", "--json", run])
        #expect(try again.answer.objects("entries").isEmpty, "\(again.summary)")
        // The record that it comes from is the line of the journal that it names.
        let before = try yard.bailey(["policy", "suggest", "--json", run, "last"]).answer
        let place = try #require(before.objects("not_suggested").first { $0["what"] as? String == "files.example.com" })
        let record = try #require((place["records"] as? [[String: Any]])?.first)
        let line = try #require(record["line"] as? Int)
        let journal = try yard.read("project/.bailey/runs/\(run)/journal/journal.jsonl").split(separator: "\n")
        #expect(journal[line - 1].contains("files.example.com") && journal[line - 1].contains("CONNECTION_REFUSED"))
    }

    @Test("a program that is not visible, taken over as it is printed", arguments: TestIdentity.available)
    func program(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        try yard.write("#!/bin/sh\necho it runs\n", to: "tools/tool")
        try yard.write("#!/bin/sh\n", to: "home/.ssh/tool")
        #expect(try yard.outside("chmod +x $YARD/tools/tool $YARD/home/.ssh/tool").status == 0)
        let command = ["run", "--", "/bin/sh", "-c", "\(yard.path)/tools/tool; \(yard.home)/.ssh/tool"]
        #expect(try yard.bailey(command).status == 127)
        let suggested = try yard.bailey(["policy", "suggest"])
        #expect(suggested.stdout.contains("  readable:\n") && suggested.stdout.contains("'\(yard.path)/tools/tool'"))
        #expect(suggested.stdout.contains("# - \(yard.home)/.ssh/tool ("), "\(suggested.stdout)")
        try yard.write(suggested.stdout, to: "config/bailey/config.yml")
        let again = try yard.bailey(command)
        #expect(again.status == 127 && again.stdout == "it runs\n", "\(again.summary)")
    }

    @Test("a request to a host whose project narrows: its own file is to be changed, and then it passes")
    func request() throws {
        let network = try NetworkYard(hosts: ["files.example.com"])
        let yard = network.yard
        let narrow = "network:\n  allow: [\"GET https://files.example.com/none\"]\n"
        try yard.write(narrow, to: "project/bailey.yml")
        let fetch = "curl -sf --max-time 20 https://files.example.com/"
        #expect(try network.inside(fetch).status != 0)
        let answer = try yard.bailey(["policy", "suggest", "--json"]).answer
        let entries = answer.objects("project_entries").compactMap { $0["entry"] as? String }
        #expect(entries == ["GET https://files.example.com/"] && answer.objects("entries").isEmpty, "\(answer)")
        try yard.write("network:\n  allow: [\"\(entries.first ?? "")\"]\n", to: "project/bailey.yml")
        let passed = try network.inside(fetch)
        #expect(passed.status == 0, "\(passed.summary)")
    }

    @Test("bad input, and a journal that cannot be believed")
    func badInput() throws {
        let yard = try Yard()
        #expect(try yard.bailey(["policy", "suggest"]).status == 2, "no command has been run here")
        try yard.inside("true")
        let nothing = try yard.bailey(["policy", "suggest"])
        #expect(nothing.status == 0 && nothing.stdout.isEmpty && nothing.stderr.contains("nothing was refused"))
        #expect(try yard.bailey(["policy", "suggest", "r_none"]).status == 2)
        try yard.outside("sed -i '2s/^.//' .bailey/runs/*/journal/journal.jsonl")
        let damaged = try yard.bailey(["policy", "suggest"])
        #expect(damaged.status == 125 && damaged.stdout.isEmpty && damaged.stderr.contains("journal verify"))
    }
}
