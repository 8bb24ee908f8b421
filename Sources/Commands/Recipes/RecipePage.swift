import Catalogue
import Domain
import Egress

/// A recipe for people: every line of it with its reason.
struct RecipePage {
    private let recipe: Recipe
    private let file: String?
    private let sections: [(key: String, lines: [(what: String, why: String)])]

    /// - Parameter file: nil for one of Bailey's own.
    init(_ recipe: Recipe, file: String?) {
        self.recipe = recipe
        self.file = file
        let settings = recipe.settings.flatMap(Self.settings)
        let all: [(String, [(String, String)])] = [
            ("programs", recipe.programs.map { (Self.program($0), $0.why) }),
            ("hosts", recipe.hosts.map { ($0.rule.text, $0.why) }),
            ("providers", recipe.providers.map { (Self.provider($0), $0.why) }),
            ("secrets", recipe.secrets.map { ("\($0.name) to \($0.binding)", $0.why) }),
            ("logins", recipe.logins.map { ($0.kind.rawValue, $0.why) }),
            ("variables", recipe.variables.map { (Self.variable($0), $0.why) }),
            ("wall", recipe.wall.map { (Self.variable($0), $0.why) }),
            ("settings", settings),
            ("instructions", recipe.instructions.map { ("~/\($0.path)", $0.why) }),
            ("state", recipe.state.map { ("~/\($0.path)", $0.why) }),
        ]
        sections = all.filter { !$0.1.isEmpty }.map { (key: $0.0, lines: $0.1.map { (what: $0.0, why: $0.1) }) }
    }

    var lines: [String] {
        var lines = ["\(recipe.name): \(Printable.text(recipe.title))", Printable.text(recipe.about)]
        if let file { lines.append("from \(Printable.text(file))") }
        for (key, entries) in sections {
            lines += ["", Self.heading(key)]
            for entry in entries {
                lines.append("  " + Printable.text(entry.what))
                lines.append("      " + Printable.text(entry.why))
            }
        }
        return lines
    }

    var json: JSONValue {
        .object(
            [
                ("recipe", .string(recipe.name)), ("title", .string(recipe.title)), ("about", .string(recipe.about)),
                ("file", file.map { .string($0) } ?? .null),
            ]
                + sections.map { section in
                    (
                        section.key,
                        .array(section.lines.map { .object([("line", .string($0.what)), ("why", .string($0.why))]) })
                    )
                }
        )
    }

    private static func heading(_ key: String) -> String {
        switch key {
        case "programs": "It is known by:"
        case "hosts": "It reaches:"
        case "providers": "Services that it uses where their key is found:"
        case "secrets": "Secrets that are bound:"
        case "logins": "Logins that stay outside:"
        case "variables": "Variables that are set, or passed from you:"
        case "wall": "Variables that tell it of the wall:"
        case "settings": "Settings that it finds, written anew:"
        case "instructions": "Texts of yours that it finds, as copies:"
        default: "Directories that are kept for the project's next run, apart from yours:"
        }
    }

    private static func program(_ program: Recipe.Program) -> String {
        switch program.kind {
        case .program: program.name
        case .module: "python -P -m \(program.name)"
        case .npx: "npx \(program.name)"
        case .uvx: "uvx \(program.name)"
        }
    }

    private static func provider(_ use: Recipe.ProviderUse) -> String {
        let also = use.also.isEmpty ? "" : ", its key in \(use.also.joined(separator: ", ")) too"
        return use.name + (use.usesBaseURL ? ", by its base URL" : "") + also
    }

    private static func variable(_ variable: Recipe.Variable) -> String {
        variable.value.map { "\(variable.name)=\($0)" } ?? variable.name
    }

    private static func settings(_ settings: Recipe.Settings) -> [(String, String)] {
        let keys = settings.keys.map { $0.joined(separator: ".") }.joined(separator: ", ")
        let file = "~/\(settings.file)"
        let head = (keys.isEmpty ? file : "\(file), of yours: \(keys)", settings.why)
        return [head]
            + settings.set.map { setting in
                let value = String(decoding: setting.value.bytes(), as: UTF8.self)
                let when = setting.withoutExtra.map { ", with a budget without the extra \($0)" } ?? ""
                return ("~/\(settings.file): \(setting.key.joined(separator: ".")) = \(value)\(when)", setting.why)
            }
    }
}
