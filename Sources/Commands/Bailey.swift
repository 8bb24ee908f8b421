import ArgumentParser
import Domain

/// The `bailey` command: nouns and verbs, results on standard output, everything else on standard error.
struct Bailey: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bailey",
        abstract: "Let machine agents act behind a wall, and prove afterwards what happened.",
        version: Version.text,
        subcommands: [
            RunCommand.self, RunsCommand.self, ChangesCommand.self, JournalCommand.self, HomeCommand.self,
            RecipeCommand.self, EgressCommand.self, PolicyCommand.self, ProjectCommand.self, DoctorCommand.self,
            ProbeLaunchCommand.self,
        ]
    )
}

/// The product's version, as the changelog names it.
enum Version {
    static let text = "0.1.0"
}
