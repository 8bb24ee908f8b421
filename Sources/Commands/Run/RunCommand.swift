import ArgumentParser
import Domain

/// `bailey run`.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a command or an agent behind the wall.",
        discussion:
            "The command sees a read-only system, its own temp and home, a copy-on-write view of the project and no "
            + "network. Its changes wait at the commit gate."
    )

    @OptionGroup var options: RunOptions

    func run() throws {
        // Everything from the first word on is the command's, so that the parser leaves these to us.
        if let first = options.command.first, ["--help", "-h"].contains(first) {
            throw CleanExit.helpRequest(RunCommand.self)
        }
        let words = try options.words()
        let code = try RunPath(words: words, options: options, caller: try Caller.current()).run()
        throw ExitCode(code)
    }
}
