import Foundation
import TestSupport
import Testing

@Suite("A state directory that cannot be trusted or written stops a run before it starts")
struct StateDirectoryTests {
    private func refuses(_ result: ProcessResult, _ words: [String]) {
        #expect(result.status == 125, "\(result.summary)")
        for word in words { #expect(result.stderr.contains(word), "\(word): \(result.summary)") }
    }

    @Test(arguments: TestIdentity.available) func openToOthers(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        try yard.outside("mkdir -m 777 ../state/bailey; chmod 777 ../state/bailey")
        refuses(try yard.bailey(["run", "--", "true"]), [yard.state, "mode 777", "chmod 700"])
    }

    @Test(.enabled(if: getuid() == 0, "only root can give a directory away")) func ofAnotherOwner() throws {
        let yard = try Yard()
        try yard.outside("mkdir -m 700 ../state/bailey; chown 4321 ../state/bailey")
        refuses(try yard.bailey(["run", "--", "true"]), [yard.state, "user 4321", "XDG_STATE_HOME"])
    }

    @Test func insideTheProject() throws {
        let yard = try Yard()
        let result = try yard.bailey(["run", "--", "true"], with: ["XDG_STATE_HOME": yard.project + "/state"])
        refuses(result, [yard.project, "inside the project", "XDG_STATE_HOME"])
        #expect(!yard.exists("project/state"))
        // The way there may go through a link.
        try yard.outside("ln -s '\(yard.project)' ../link")
        let linked = try yard.bailey(["run", "--", "true"], with: ["XDG_STATE_HOME": yard.path + "/link/state"])
        refuses(linked, ["inside the project"])
    }

    @Test func aFileInItsPlace() throws {
        let yard = try Yard()
        try yard.write("x", to: "state/bailey")
        refuses(try yard.bailey(["run", "--", "true"]), [yard.state, "XDG_STATE_HOME"])
    }

    /// What is half written is looked for at most once an hour, and again where a clock went wrong.
    @Test(arguments: [(hours: -2.0, looks: true), (-0.5, false), (2, true)])
    func looksForLitter(hours: Double, looks: Bool) throws {
        let yard = try Yard()
        #expect(try yard.bailey(["run", "--", "true"]).status == 0)
        let stamp = yard.state + "/bailey/tidied"
        let time = Date(timeIntervalSinceNow: hours * 3600)
        try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: stamp)
        #expect(try yard.bailey(["run", "--", "true"]).status == 0)
        let after = try #require(FileManager.default.attributesOfItem(atPath: stamp)[.modificationDate] as? Date)
        #expect((abs(after.timeIntervalSinceNow) < 600) == looks)
    }

    @Test(.enabled(if: getuid() == 0, "only root can mount")) func readOnly() throws {
        let yard = try Yard()
        let result = try yard.privately(
            "mount -t tmpfs -o ro none \"$YARD/state\" && \"$BAILEY\" run -- true"
        )
        refuses(result, [yard.state, "Read-only file system", "XDG_STATE_HOME"])
    }

    @Test(.enabled(if: getuid() == 0, "only root can mount")) func full() throws {
        let yard = try Yard()
        let result = try yard.privately(
            """
            mount -t tmpfs -o size=64k,mode=700 none "$YARD/state" && head -c 1M /dev/zero > "$YARD/state/fill"
            "$BAILEY" run -- true
            """
        )
        #expect(result.status == 125, "\(result.summary)")
        #expect(result.stderr.contains("No space left on device"), "\(result.summary)")
        #expect(result.stderr.contains("hint:"), "\(result.summary)")
    }

    @Test(.enabled(if: getuid() == 0, "only root can mount")) func projectOnAFullDisk() throws {
        let yard = try Yard()
        let result = try yard.privately(
            """
            mount -t tmpfs -o size=1m none "$YARD/project" && cd "$YARD/project" && "$BAILEY" run -- true || exit 9
            head -c 2M /dev/zero > fill
            "$BAILEY" run -- sh -c 'echo was-run'; echo "code $?"
            rm fill; "$BAILEY" run -- sh -c 'echo again' && "$BAILEY" journal verify
            """
        )
        #expect(result.stdout.contains("code 125"), "\(result.summary)")
        #expect(!result.stdout.contains("was-run"), "nothing runs that cannot be recorded")
        #expect(result.stderr.contains("No space left on device"), "\(result.summary)")
        #expect(result.stdout.contains("again"), "\(result.summary)")
        #expect(result.status == 0, "\(result.summary)")
    }
}
