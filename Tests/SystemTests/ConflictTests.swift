import Foundation
import TestSupport
import Testing

@Suite("What changed outside meanwhile is never overwritten")
struct ConflictTests {
    private func place() throws -> Yard {
        let yard = try Yard()
        try yard.write("base\n", to: "project/shared.txt")
        return yard
    }

    @Test func twoRunsOverOneFile() throws {
        let yard = try place()
        let both = try yard.outside(
            """
            "$BAILEY" run -- sh -c 'echo first >> shared.txt; echo 1 > one; sleep 1' & first=$!
            "$BAILEY" run -- sh -c 'echo second >> shared.txt; echo 2 > two; sleep 1' & second=$!
            wait $first && wait $second
            """
        )
        #expect(both.status == 0, "\(both.summary)")
        let runs = try yard.runs()
        #expect(runs.count == 2)
        #expect(try yard.bailey(["changes", "apply", runs[0]]).status == 0)
        let text = try yard.read("project/shared.txt")
        let second = try yard.bailey(["changes", "apply", runs[1]])
        #expect(second.status == 1, "\(second.summary)")
        #expect(second.stderr.contains("conflict shared.txt") && second.stderr.contains("Nothing was applied"))
        #expect(try yard.read("project/shared.txt") == text)
        #expect(yard.exists("project/one") != yard.exists("project/two"), "nothing of the second is there")
        #expect(try yard.state(of: runs[1]) == "held")
    }

    @Test func bothApplyingByThemselves() throws {
        let yard = try place()
        let both = try yard.outside(
            """
            for i in 1 2 3 4; do
              "$BAILEY" run --apply auto --json -- sh -c "echo $i > shared.txt; echo $i > own$i; sleep 1" &
            done; wait
            """
        )
        let applied = both.stdout.split(separator: "\n").filter { $0.contains("\"state\":\"applied\"") }
        let held = both.stdout.split(separator: "\n").filter { $0.contains("\"state\":\"held\"") }
        #expect(applied.count == 1 && held.count == 3, "\(both.summary)")
        let number = try yard.read("project/shared.txt").trimmingCharacters(in: .newlines)
        for other in ["1", "2", "3", "4"] { #expect(yard.exists("project/own" + other) == (other == number)) }
        #expect(try yard.bailey(["journal", "verify"]).status == 0)
    }

    @Test func runsOverDifferentFiles() throws {
        let yard = try place()
        let all = try yard.outside(
            """
            for i in 1 2 3 4 5 6; do
              "$BAILEY" run --apply auto --json -- sh -c "echo $i > own$i; sleep 0.5" &
            done; wait
            """
        )
        #expect(
            all.stdout.split(separator: "\n").filter { $0.contains("\"state\":\"applied\"") }.count == 6,
            "\(all.summary)"
        )
        for number in 1...6 { #expect(yard.exists("project/own\(number)")) }
        let verified = try yard.bailey(["journal", "verify"])
        #expect(verified.status == 0 && verified.stdout.contains("6 runs (0 open)"), "\(verified.summary)")
    }

    @Test func firstRunsAtOnce() throws {
        let yard = try place()
        let all = try yard.outside(
            """
            p=; for i in 1 2 3 4 5 6; do "$BAILEY" run -- true & p="$p $!"; done
            for j in $p; do wait $j || exit 9; done
            """
        )
        #expect(all.status == 0, "\(all.summary)")
        #expect(try yard.runs().count == 6)
        #expect(
            try yard.outside("ls -A . ../state/bailey/projects").stdout.split(separator: "\n").filter {
                $0.hasPrefix(".bailey")
            } == [".bailey"]
        )
        #expect(try yard.bailey(["journal", "verify"]).status == 0)
    }

    @Test func theProjectChangesWhileTheCommandRuns() throws {
        let yard = try place()
        let run = try yard.outside(
            """
            "$BAILEY" run --apply auto --json -- sh -c 'echo inside > shared.txt; echo x > other; sleep 2' & run=$!
            sleep 1; echo outside > shared.txt; wait $run
            """
        )
        #expect(run.status == 0, "the command's own code stands: \(run.summary)")
        #expect(try run.answer.text("changes.state") == "held", "\(run.summary)")
        #expect(run.stderr.contains("shared.txt is a conflict (changed-outside)"), "\(run.summary)")
        #expect(try yard.read("project/shared.txt") == "outside\n" && !yard.exists("project/other"))
    }

    @Test func aFileThatAppearsOutside() throws {
        let yard = try place()
        try yard.inside("echo inside > new.txt")
        try yard.write("outside", to: "project/new.txt")
        let apply = try yard.bailey(["changes", "apply"])
        #expect(apply.status == 1 && apply.stderr.contains("conflict new.txt"), "\(apply.summary)")
        #expect(try yard.read("project/new.txt") == "outside")
        // Once it is out of the way the same set fits again.
        try yard.outside("rm new.txt")
        #expect(try yard.bailey(["changes", "apply"]).status == 0)
        #expect(try yard.read("project/new.txt") == "inside\n")
    }
}
