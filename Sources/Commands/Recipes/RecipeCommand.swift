import ArgumentParser
import Catalogue
import Domain
import Glibc

/// `bailey recipe`.
struct RecipeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recipe",
        abstract: "Look at how known agents are run.",
        subcommands: [List.self, Show.self]
    )
}

extension RecipeCommand {
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the agents: whether each is here, and whether it has a key or a login."
        )
        @Flag(help: "Print one JSON object per line.") var json = false

        func run() throws {
            let caller = try Caller.current()
            let shelf = try RecipeShelf.load(caller)
            let console = Console()
            var rows: [[String]] = []
            for name in shelf.names {
                guard let recipe = try shelf.recipe(name) else { continue }
                let presence = RecipePresence(recipe, caller: caller)
                if json {
                    let line = presence.json(recipe, file: shelf.file(name))
                    console.result(String(decoding: line.bytes(), as: UTF8.self))
                } else {
                    rows.append([
                        name, Printable.text(recipe.title), Printable.text(presence.program ?? "not here"),
                        presence.credential ?? "no key",
                    ])
                }
            }
            let widths = (0..<3).map { column in rows.map { $0[column].count }.max() ?? 0 }
            for row in rows {
                let columns = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
                console.result((columns + [row[3]]).joined(separator: "  "))
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Explain each line of one.")
        @Argument(help: "Its name, as `bailey recipe list` prints it.") var name: String
        @Flag(help: "Print one JSON object.") var json = false

        func run() throws {
            let shelf = try RecipeShelf.load(try Caller.current())
            let recipe = try shelf.named(name, option: "show the recipe")
            let page = RecipePage(recipe, file: shelf.file(recipe.name))
            let console = Console()
            if json {
                console.result(String(decoding: page.json.bytes(), as: UTF8.self))
            } else {
                for line in page.lines { console.result(line) }
            }
        }
    }
}

/// What there is of an agent on this machine; never a value of anything.
struct RecipePresence {
    /// Where its program lies; nil where it is not found.
    let program: String?
    /// Where a key or a login was found: a variable's or a file's name.
    let credential: String?

    /// Where each kind of login lies, below the home.
    private static let logins: [Recipe.LoginUse.Kind: String] = [
        .claude: ".claude/.credentials.json", .codex: ".codex/auth.json",
    ]

    init(_ recipe: Recipe, caller: Caller) {
        let path = (caller.environment["PATH"] ?? "").split(separator: ":")
        program = recipe.programs.lazy.filter { $0.kind == .program }
            .flatMap { program in path.map { "\($0)/\(program.name)" } }
            .first { access($0, X_OK) == 0 }
        let keys = recipe.providers.compactMap { try? Catalogue.provider($0.name) }
            .compactMap(caller.keyVariable)
        let login = recipe.logins.compactMap { Self.logins[$0.kind] }.first {
            access(caller.home + "/" + $0, F_OK) == 0
        }
        credential = keys.first ?? login.map { "~/\($0)" }
    }

    func json(_ recipe: Recipe, file: String?) -> JSONValue {
        .object([
            ("name", .string(recipe.name)), ("title", .string(recipe.title)),
            ("program", program.map { .string($0) } ?? .null),
            ("credential", credential.map { .string($0) } ?? .null),
            ("file", file.map { .string($0) } ?? .null),
        ])
    }
}
