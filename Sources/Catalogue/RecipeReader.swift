import Domain
import Egress
package import Policy

extension Recipe {
    static let attempt = "read the recipe"
    private static let keys = [
        "recipe", "title", "about", "programs", "hosts", "providers", "secrets", "logins", "variables", "wall",
        "settings", "instructions", "state",
    ]

    /// Reads one file, and refuses what would widen what no configuration may.
    ///
    /// - Parameter file: what to call it in an error.
    package init(_ bytes: [UInt8], file: String) throws(ConfigurationError) {
        let fields = try Fields.document(bytes, known: Self.keys, file: file, attempt: Self.attempt)
        let name = try fields.required("recipe")
        guard Self.isName(name) else {
            let hint = "Write lower-case letters, digits and hyphens, such as my-agent."
            throw fields.error(.badValue, "recipe", "it is no name", hint)
        }
        self.init(name: name, title: try fields.text("title") ?? name, about: try fields.required("about"))
        try readPrograms(fields)
        try readNetwork(fields)
        variables = try fields.variables("variables")
        wall = try fields.variables("wall")
        try readFiles(fields)
        guard !programs.isEmpty else {
            let hint = "Write `programs: [{program: NAME, why: …}]`."
            throw fields.error(.badValue, nil, "it names no program", hint)
        }
    }

    private static func isName(_ text: String) -> Bool {
        (1...32).contains(text.utf8.count) && text.first?.isLetter == true
            && text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "-") }
    }

    private mutating func readPrograms(_ fields: Fields) throws(ConfigurationError) {
        let kinds = Program.Kind.allCases.map(\.rawValue)
        for entry in try fields.list("programs", known: kinds + ["why"]) {
            let named = kinds.filter(entry.has)
            guard named.count == 1, let kind = Program.Kind(rawValue: named[0]) else {
                let hint = "Write one of \(kinds.joined(separator: ", "))."
                throw entry.error(.badValue, nil, "it names \(named.isEmpty ? "no program" : "several")", hint)
            }
            let name = try entry.required(kind.rawValue)
            let mayHaveSlash = kind == .npx && name.hasPrefix("@") && name.split(separator: "/").count == 2
            guard !name.contains("/") || mayHaveSlash, !name.hasPrefix("-"), !name.hasPrefix("."), !name.contains(" ")
            else {
                let hint = "Write the name alone; where it lies is found by PATH."
                throw entry.error(.badValue, kind.rawValue, "it is no program's name", hint)
            }
            programs.append(Program(kind: kind, name: name, why: try entry.why()))
        }
    }

    private mutating func readNetwork(_ fields: Fields) throws(ConfigurationError) {
        for entry in try fields.list("hosts", known: ["allow", "why"]) {
            let text = try entry.required("allow")
            let rule = try entry.reading("allow", .widens) { () throws(EgressRefusal) in try NetworkRule(text) }
            hosts.append(Host(rule: rule, why: try entry.why()))
        }
        for entry in try fields.list("providers", known: ["name", "base_url", "also", "why"]) {
            let name = try entry.required("name")
            guard Catalogue.providerNames.contains(name) else {
                throw entry.error(.badValue, "name", "there is no service \(name)", Catalogue.providerHint(name))
            }
            let also = try entry.texts("also")
            for variable in also {
                if let (problem, hint) = SecretName.problem(variable) {
                    throw entry.error(.widens, "also", "\(variable): \(problem)", hint)
                }
            }
            let use = ProviderUse(
                name: name,
                usesBaseURL: try entry.flag("base_url"),
                also: also,
                why: try entry.why()
            )
            providers.append(use)
        }
        for entry in try fields.list("secrets", known: ["name", "host", "port", "header", "scheme", "why"]) {
            secrets.append(try entry.secret())
        }
        for entry in try fields.list("logins", known: ["login", "why"]) {
            guard let kind = LoginUse.Kind(rawValue: try entry.required("login")) else {
                let names = LoginUse.Kind.allCases.map(\.rawValue).joined(separator: ", ")
                throw entry.error(.badValue, "login", "there is no such login", "Logins are \(names).")
            }
            logins.append(LoginUse(kind: kind, why: try entry.why()))
        }
    }

    private mutating func readFiles(_ fields: Fields) throws(ConfigurationError) {
        for entry in try fields.list("settings", known: ["file", "format", "keys", "set", "why"]) {
            settings.append(try entry.settings())
        }
        for entry in try fields.list("instructions", known: ["file", "why"]) {
            let path = try entry.place("file")
            guard path.hasSuffix(".md") else {
                let hint = "Name a text ending in .md; settings are listed key by key below `settings:`."
                throw entry.error(.widens, "file", "only texts are shown whole", hint)
            }
            instructions.append(Place(path: path, why: try entry.why()))
        }
        for entry in try fields.list("state", known: ["directory", "why"]) {
            let path = try entry.place("directory")
            if let problem = RecipePlaces.stateProblem(path) {
                let hint = "Name the directory in which the agent keeps its conversations."
                throw entry.error(.widens, "directory", problem, hint)
            }
            state.append(Place(path: path, why: try entry.why()))
        }
        try checkOverlaps(fields)
    }

    /// A place has one content.
    private func checkOverlaps(_ fields: Fields) throws(ConfigurationError) {
        var seen: Set<String> = []
        for path in settings.map(\.file) + instructions.map(\.path) + state.map(\.path) {
            guard seen.insert(path).inserted else {
                throw fields.error(.badValue, nil, "\"\(path)\" is there twice", "Keep one of them.")
            }
            if let kept = state.first(where: { path.hasPrefix($0.path + "/") }) {
                let problem = "\"\(path)\" lies in \"\(kept.path)\", which is kept and would cover it"
                throw fields.error(
                    .badValue,
                    nil,
                    problem,
                    "Name the directories in which conversations lie, one by one."
                )
            }
        }
    }
}

extension Fields {
    /// The sentence that each line has.
    fileprivate func why() throws(ConfigurationError) -> String { try required("why") }

    func flag(_ key: String) throws(ConfigurationError) -> Bool {
        switch try text(key) {
        case nil, "false": false
        case "true": true
        default: throw error(.badValue, key, "it is neither true nor false", "Write true or false.")
        }
    }

    fileprivate func secret() throws(ConfigurationError) -> Recipe.SecretUse {
        let name = try required("name")
        if let (problem, hint) = SecretName.problem(name) { throw error(.widens, "name", "\(name): \(problem)", hint) }
        let host = try required("host")
        var port: UInt16 = 443
        if let text = try text("port") {
            guard let number = UInt16(text), number > 0 else {
                throw error(.badValue, "port", "it is no port", "Write a number from 1 to 65535.")
            }
            port = number
        }
        let slot = try slot()
        let binding = try reading("host", .widens) { () throws(EgressRefusal) in
            try SecretBinding(host: host, port: port, slot: slot)
        }
        return Recipe.SecretUse(name: name, binding: binding, why: try why())
    }

    fileprivate func variables(_ key: String) throws(ConfigurationError) -> [Recipe.Variable] {
        var found: [Recipe.Variable] = []
        for entry in try list(key, known: ["name", "value", "pass", "why"]) {
            let isPassed = entry.has("pass")
            let name = try entry.required(isPassed ? "pass" : "name")
            if let (problem, hint) = RecipeVariables.problem(name) {
                throw entry.error(.widens, isPassed ? "pass" : "name", "\(name): \(problem)", hint)
            }
            let value = isPassed ? nil : try entry.required("value")
            if let value { try entry.checkWords(value, "value") }
            found.append(Recipe.Variable(name: name, value: value, why: try entry.why()))
        }
        return found
    }

    fileprivate func settings() throws(ConfigurationError) -> Recipe.Settings {
        // What is made here and not read may have any name.
        let file = try place("file", isRead: has("keys"))
        guard let format = SettingsFormat(rawValue: try required("format")) else {
            let names = SettingsFormat.allCases.map(\.rawValue).joined(separator: ", ")
            throw error(.badValue, "format", "there is no such format", "Formats are \(names).")
        }
        var keys: [[String]] = []
        for text in try texts("keys") {
            let key = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            guard !key.contains(where: { $0.isEmpty || $0.contains("*") }) else {
                let hint = "List the keys that the agent needs one by one: such files hold tokens beside them."
                throw error(.widens, "keys", "\"\(text)\" would show more than one value", hint)
            }
            guard !key.contains(where: RecipeVariables.isSecretKey) else {
                let hint = "Remove it; a key reaches the agent by `secrets:` or `providers:`."
                throw error(.widens, "keys", "\"\(text)\" names a credential", hint)
            }
            keys.append(key)
        }
        var set: [Recipe.Setting] = []
        let known = ["key", "value", "wall", "without_extra", "why"]
        for entry in try list("set", known: known) { set.append(try entry.setting()) }
        return Recipe.Settings(file: file, format: format, keys: keys, set: set, why: try why())
    }

    fileprivate func setting() throws(ConfigurationError) -> Recipe.Setting {
        let key = try required("key").split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard !key.contains(where: \.isEmpty) else {
            throw error(.badValue, "key", "a part of it is empty", "Write it as a.b.c.")
        }
        for part in key { try checkWords(part, "key") }
        guard let value = value("value"), let json = try json(value) else {
            throw error(.badValue, "value", "it is no word and no list of words", "Write a value, or [a, b].")
        }
        return Recipe.Setting(
            key: key,
            value: json,
            why: try why(),
            isWall: try flag("wall"),
            withoutExtra: try self.text("without_extra")
        )
    }

    private func json(_ value: YAMLValue) throws(ConfigurationError) -> JSONValue? {
        switch value {
        case .scalar(let text, true, _):
            try checkWords(text, "value")
            return .string(text)
        case .scalar(let text, false, _):
            try checkWords(text, "value")
            return value.isEmpty ? nil : YAMLScalar.value(text)
        case .list(let items, _):
            var elements: [JSONValue] = []
            for item in items {
                guard case .scalar = item, let element = try json(item) else { return nil }
                elements.append(element)
            }
            return .array(elements)
        case .mapping: return nil
        }
    }

    /// Refuses words in braces that nobody fills in.
    private func checkWords(_ text: String, _ key: String) throws(ConfigurationError) {
        let known = RecipeWord.allCases.map(\.rawValue)
        var rest = text
        for word in known { rest = rest.replacing(word, with: "") }
        guard !rest.contains("{"), !rest.contains("}") else {
            let hint = "Words in braces are \(known.joined(separator: ", "))."
            throw error(.badValue, key, "a word in braces is unknown", hint)
        }
    }

    /// A path below the home.
    fileprivate func place(_ key: String, isRead: Bool = true) throws(ConfigurationError) -> String {
        let text = try required(key)
        if let (problem, hint) = RecipePlaces.problem(text, isRead: isRead) { throw error(.widens, key, problem, hint) }
        return text
    }
}
