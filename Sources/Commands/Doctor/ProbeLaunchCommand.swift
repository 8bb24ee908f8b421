import ArgumentParser
import Domain

/// `bailey probe-launch`: how long one launch takes, without the start of `bailey` itself, the journal and the walk
/// through the project. `script/bench start` uses it; people have `bailey doctor`.
struct ProbeLaunchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe-launch",
        abstract: "Launch true behind the wall again and again; print the milliseconds of each launch.",
        shouldDisplay: false
    )

    @Option(help: "How many launches, one after the other.")
    var count = 1

    func validate() throws {
        guard (1...SandboxProbe.launchesMax).contains(count) else {
            throw ValidationError("--count \(count): it takes 1 to \(SandboxProbe.launchesMax).")
        }
    }

    func run() throws {
        let launches = try SandboxProbe(caller: try Caller.current()).launch(count: count)
        for launch in launches where launch.outcome.ending.shellCode != 0 {
            throw CommandError(
                ExitStatus.failed,
                "launch true: it ended with \(launch.outcome.ending.shellCode)",
                hint: "Run `bailey doctor`."
            )
        }
        let milliseconds = launches.map { JSONValue.number(Double($0.nanoseconds) / 1e6) }
        let report = JSONValue.object([("milliseconds", .array(milliseconds))])
        Console().result(String(decoding: report.bytes(), as: UTF8.self))
    }
}
