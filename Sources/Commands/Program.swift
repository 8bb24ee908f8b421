import ArgumentParser
import Domain
import Sandbox

/// The program: parses, runs and returns the exit code.
package enum Program {
    /// The one place that maps errors to codes.
    package static func main() -> Int32 {
        let console = Console()
        defer { LeavingSandboxes.waitForAll() }
        do {
            var command = try parse(try arguments())
            if !(command is Bailey) { try InsideGuard.refuseInside() }
            try command.run()
            return 0
        } catch let error as CommandError {
            console.error(error)
            return error.exitCode
        } catch let error as SandboxError {
            console.error(error)
            return code(error)
        } catch let error as any UserFacingError {
            console.error(error)
            return ExitStatus.failed
        } catch let code as ExitCode {
            return code.rawValue
        } catch {
            return report(error, console)
        }
    }

    /// `run` starts other programs and so starts most often. It has no subcommands, and parsing it alone spares the
    /// parser looking at every other command. What it does not take as it is, the whole parser takes or explains.
    private static func parse(_ words: [String]) throws -> any ParsableCommand {
        if words.first == "run", let command = try? RunCommand.parseAsRoot(Array(words.dropFirst())) { return command }
        return try Bailey.parseAsRoot(words)
    }

    /// The words of the command line. What is not valid UTF-8 is refused and not repaired: a repaired word names
    /// something else.
    private static func arguments() throws(CommandError) -> [String] {
        var words: [String] = []
        for index in 1..<max(1, Int(CommandLine.argc)) {
            guard let pointer = CommandLine.unsafeArgv[index] else { break }
            guard let word = String(validatingCString: pointer) else {
                throw CommandError(
                    ExitStatus.usage,
                    "read the command line: the argument \(Printable.text(String(cString: pointer))) "
                        + "is not valid UTF-8",
                    hint: "Give the command such a name from within a script or an input file."
                )
            }
            words.append(word)
        }
        return words
    }

    /// A command that could not be executed has the codes that every shell gives it.
    private static func code(_ error: SandboxError) -> Int32 {
        switch error.code {
        case .commandNotFound: ExitStatus.notFound
        case .commandNotExecutable: ExitStatus.deniedOrNotExecutable
        case .setup, .launcher, .workingDirectory, .overlay: ExitStatus.failed
        }
    }

    /// Errors of the argument parser are usage errors; asking for help or the version is none.
    private static func report(_ error: any Error, _ console: Console) -> Int32 {
        let code = Bailey.exitCode(for: error)
        guard code != .success else {
            console.result(Bailey.fullMessage(for: error))
            return 0
        }
        guard code == .validationFailure else {
            console.error(error)
            return ExitStatus.failed
        }
        console.remark(Bailey.fullMessage(for: error))
        return ExitStatus.usage
    }
}
