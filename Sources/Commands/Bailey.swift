import ArgumentParser
import Domain

/// The `bailey` command: nouns and verbs, results on standard output, everything else on standard error.
package struct Bailey: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "bailey",
        abstract: "Let machine agents act behind a wall, and prove afterwards what happened.",
        version: Version.text,
        subcommands: [
            RunCommand.self, RunsCommand.self, ChangesCommand.self, JournalCommand.self, HomeCommand.self,
            ProjectCommand.self, DoctorCommand.self,
        ]
    )

    package init() {}

    /// Parses, runs and returns the exit code: the one place that maps errors to codes.
    package static func main(arguments: [String]) -> Int32 {
        let console = Console()
        do {
            var command = try parseAsRoot(arguments)
            if !(command is Bailey) { try InsideGuard.refuseInside() }
            try command.run()
            return 0
        } catch let error as CommandError {
            console.error(error)
            return error.exitCode
        } catch let error as any UserFacingError {
            console.error(error)
            return ExitStatus.failed
        } catch let code as ExitCode {
            return code.rawValue
        } catch {
            return report(error, console)
        }
    }

    /// Errors of the argument parser are usage errors; asking for help or the version is none.
    private static func report(_ error: any Error, _ console: Console) -> Int32 {
        let code = exitCode(for: error)
        guard code != .success else {
            console.result(fullMessage(for: error))
            return 0
        }
        guard code == .validationFailure else {
            console.error(error)
            return ExitStatus.failed
        }
        console.remark(fullMessage(for: error))
        return ExitStatus.usage
    }
}

/// The product's version, as the changelog names it.
enum Version {
    static let text = "0.1.0"
}
