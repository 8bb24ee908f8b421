import Catalogue
import Domain
import Glibc

/// Finds the recipe whose program a command starts. A recipe lets a program reach hosts with the user's key, so that
/// the program must be the user's: what the project brings along, or others could have put there, is never taken for
/// an agent because of its name.
struct RecipeMatch {
    let caller: Caller
    let project: String
    let workingDirectory: String
    /// Where programs are looked for inside.
    let searchPath: [String]
    let shelf: RecipeShelf

    /// - Parameter readable: what is shown beside the system and the project.
    init(_ caller: Caller, _ project: String, _ workingDirectory: String, _ readable: [String]) throws {
        self.caller = caller
        self.project = project
        self.workingDirectory = workingDirectory
        searchPath = CommandEnvironment.searchPath(caller, project: project, readable: readable)
        shelf = try RecipeShelf.load(caller)
    }

    enum Answer {
        case recipe(Recipe)
        case none
        /// It has an agent's name, and why it is not taken for it.
        case refused(Recipe, String)
    }

    /// Options of Python's that change nothing of what is run.
    private static let pythonOptions: Set<String> = ["-u", "-B", "-E", "-s", "-S", "-O", "-OO", "-q"]
    /// By these Python does not look for modules in the working directory, which is the project.
    private static let safePython: Set<String> = ["-I", "-P"]

    func find(_ words: [String]) throws -> Answer {
        guard let word = words.first, let place = place(of: word) else { return .none }
        let name = Self.name(place)
        let end = Caller.resolved(place)
        for candidate in [name, end.map(Self.name)].compactMap({ $0 }) {
            if let recipe = try shelf.recipe(for: .program, candidate) { return judge(recipe, place) }
        }
        let rest = Array(words.dropFirst())
        if name.hasPrefix("python") { return try python(rest, place) }
        if name == "npx", let package = Self.nodePackage(rest), let recipe = try shelf.recipe(for: .npx, package) {
            if let file = localNode { return .refused(recipe, "npx would obey \(file) in the project") }
            return judge(recipe, place)
        }
        if name == "uvx", let package = Self.pythonPackage(rest), let recipe = try shelf.recipe(for: .uvx, package) {
            return judge(recipe, place)
        }
        return .none
    }

    private func judge(_ recipe: Recipe, _ place: String) -> Answer {
        if let problem = ProgramTrust(caller: caller, project: project).problem(place) {
            return .refused(recipe, problem)
        }
        return .recipe(recipe)
    }

    /// Where the shell's rules find a program; nil where nowhere.
    private func place(of word: String) -> String? {
        if word.hasPrefix("/") { return word }
        if word.contains("/") { return workingDirectory + "/" + word }
        return searchPath.map { $0 + "/" + word }.first { access($0, X_OK) == 0 }
    }

    private static func name(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }

    private func python(_ words: [String], _ place: String) throws -> Answer {
        var isSafe = false
        for (index, word) in words.enumerated() {
            if Self.safePython.contains(word) {
                isSafe = true
            } else if word == "-m", index + 1 < words.count {
                guard let recipe = try shelf.recipe(for: .module, words[index + 1]) else { return .none }
                let why = "Python would look for it in the project first; -P before -m prevents that"
                return isSafe ? judge(recipe, place) : .refused(recipe, why)
            } else if !Self.pythonOptions.contains(word) {
                return .none
            }
        }
        return .none
    }

    /// `NAME` or `NAME@VERSION`, behind nothing but the wish not to be asked.
    private static func nodePackage(_ words: [String]) -> String? {
        guard let word = words.first(where: { $0 != "-y" && $0 != "--yes" }), !word.hasPrefix("-") else { return nil }
        let version = word.dropFirst().firstIndex(of: "@") ?? word.endIndex
        return String(word[..<version])
    }

    /// `NAME`, `NAME@VERSION`, or `--from NAME`.
    private static func pythonPackage(_ words: [String]) -> String? {
        let word = words.first == "--from" ? words.dropFirst().first : words.first
        guard let word, !word.hasPrefix("-") else { return nil }
        return String(word.prefix { !"=@[<>~! ".contains($0) })
    }

    /// Settings or packages of the project's that npx prefers.
    private var localNode: String? {
        var directory = workingDirectory
        while directory == project || directory.hasPrefix(project + "/") {
            for name in ["node_modules", ".npmrc"] {
                var status = stat()
                if lstat(directory + "/" + name, &status) == 0 { return name }
            }
            directory = String(directory[..<(directory.lastIndex(of: "/") ?? directory.startIndex)])
        }
        return nil
    }
}
