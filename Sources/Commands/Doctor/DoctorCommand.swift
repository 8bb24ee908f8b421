import ArgumentParser
import Domain

/// `bailey doctor`.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check this machine, your state and this project; say what to do about what is wrong."
    )

    @OptionGroup var options: ProjectOptions

    @Flag(help: "Exit 1 on warnings, too.")
    var strict = false

    func run() throws {
        let caller = try Caller.current()
        let console = Console()
        var found = HostChecks(caller: caller).all()
        found += StateChecks(caller: caller).all()
        found += SecretChecks(caller: caller).all()
        found += ProjectChecks(caller: caller, explicit: options.project).all()
        let errors = found.count { $0.level == .error }
        let warnings = found.count { $0.level == .warning }
        if options.json {
            let report = JSONValue.object([
                ("errors", .integer(Int64(errors))), ("warnings", .integer(Int64(warnings))),
                ("checks", .array(found.map(\.json))),
            ])
            console.result(String(decoding: report.bytes(), as: UTF8.self))
        } else {
            for diagnosis in found {
                console.result(
                    "\(diagnosis.level.rawValue.padded(9))\(diagnosis.check): \(Printable.text(diagnosis.finding))"
                )
                if let fix = diagnosis.fix { console.result("         fix: \(fix)") }
            }
            console.result("\(errors) errors, \(warnings) warnings")
        }
        if errors > 0 || (strict && warnings > 0) { throw ExitCode(ExitStatus.negative) }
    }
}
