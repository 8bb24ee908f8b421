import ArgumentParser

/// `bailey project`.
struct ProjectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "project",
        abstract: "Look after a project's .bailey directory.",
        subcommands: [Adopt.self]
    )
}

extension ProjectCommand {
    struct Adopt: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register a .bailey directory of yours under the place where it lies now."
        )
        @Option(help: "The project directory.") var project: String?

        func run() throws {
            let caller = try Caller.current()
            let root = try ProjectLocator.locate(explicit: project, caller: caller)
            let state = try StateDirectory.open(caller, project: root)
            try ProjectDirectory.adopt(root, state: state, caller: caller)
            Console().remark("\(root)/.bailey is registered")
        }
    }
}
