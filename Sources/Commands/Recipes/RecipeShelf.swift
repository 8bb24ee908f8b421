import Catalogue
import Domain
import Files
import Glibc
import Policy

/// All recipes that there are: the operator's, the machine's, and Bailey's own. Of one name, the first counts.
struct RecipeShelf: Sendable {
    /// The operator's and the machine's, with the file of each.
    private(set) var own: [(recipe: Recipe, file: String)] = []

    private static let suffix = ".yml"
    private static let filesMax = 64
    private static let bytesMax = 64 << 10

    static func load(_ caller: Caller) throws -> RecipeShelf {
        var shelf = RecipeShelf()
        let personal = ConfigurationFiles.operatorDirectory(caller) + "/recipes"
        try shelf.read(personal, ownersAllowed: [0, caller.userID])
        try shelf.read("/etc/bailey/recipes", ownersAllowed: [0])
        return shelf
    }

    var names: [String] { Set(own.map(\.recipe.name) + Catalogue.recipeNames).sorted() }

    func recipe(_ name: String) throws -> Recipe? {
        try own.first { $0.recipe.name == name }?.recipe ?? Catalogue.recipe(name)
    }

    /// The file of one that is not Bailey's own.
    func file(_ name: String) -> String? { own.first { $0.recipe.name == name }?.file }

    /// The recipe that knows a program, a module or a package by this name.
    func recipe(for kind: Recipe.Program.Kind, _ name: String) throws -> Recipe? {
        let knows = own.first { $0.recipe.programs.contains { $0.kind == kind && $0.name == name } }
        if let knows { return try recipe(knows.recipe.name) }
        return try Catalogue.recipeName(kind, name).flatMap(recipe)
    }

    /// The recipe of a name, or an error that helps.
    func named(_ name: String, option: String) throws -> Recipe {
        if let recipe = try recipe(name) { return recipe }
        let nearest = NearestName.find(name, among: names).map { "Did you mean \($0)? " } ?? ""
        throw CommandError(
            ExitStatus.usage,
            "\(option) \(Printable.text(String(name.prefix(80)))): there is no such recipe",
            hint: nearest + "The recipes are \(names.joined(separator: ", "))."
        )
    }

    private mutating func read(_ directory: String, ownersAllowed: [UInt32]) throws {
        var status = stat()
        guard stat(directory, &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return }
            throw CommandError(ExitStatus.failed, "read \(directory): \(String(cString: strerror(errno)))")
        }
        guard ownersAllowed.contains(status.st_uid), status.st_mode & 0o022 == 0 else {
            throw CommandError(
                ExitStatus.failed,
                "trust \(directory): others can change it",
                hint: "chown it to yourself and run: chmod go-w \(directory)"
            )
        }
        let names = try Directory(trustedPath: directory).entries(atMost: 4096)
            .map { String(decoding: $0.name, as: UTF8.self) }.filter { $0.hasSuffix(Self.suffix) }.sorted()
        guard names.count <= Self.filesMax else {
            throw CommandError(
                ExitStatus.failed,
                "read \(directory): there are \(names.count) recipes",
                hint: "Keep at most \(Self.filesMax)."
            )
        }
        for name in names {
            try add(directory + "/" + name, named: String(name.dropLast(Self.suffix.count)), ownersAllowed)
        }
    }

    private mutating func add(_ path: String, named name: String, _ ownersAllowed: [UInt32]) throws {
        guard let bytes = try OperatorFile.read(path, ownersAllowed: ownersAllowed, bytesMax: Self.bytesMax) else {
            return
        }
        let recipe = try Recipe(bytes, file: path)
        guard recipe.name == name else {
            throw CommandError(
                ExitStatus.failed,
                "read the recipe: \(Printable.text(path)): recipe: it is called \(recipe.name), and its file is not",
                hint: "Call the file \(recipe.name)\(Self.suffix)."
            )
        }
        own.append((recipe, path))
    }
}
