import ArgumentParser

/// `bailey home`.
struct HomeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "home",
        abstract: "Look after the private homes of sandboxes.",
        subcommands: [Reset.self]
    )
}

extension HomeCommand {
    struct Reset: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Empty the project's private home: its caches, and what agents kept there."
        )
        @Option(help: "The project directory.") var project: String?

        func run() throws {
            let session = try Session.open(project: project)
            try PrivateHome.reset(session.project.id, state: session.state)
            session.console.remark("the private home of \(session.project.project) is empty")
        }
    }
}
