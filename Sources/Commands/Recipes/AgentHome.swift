import Catalogue
import Domain
import Egress
import Files

/// What an agent finds in its home beside what every command does: its settings from what is listed of the user's own,
/// the user's instructions, and what it kept for itself of earlier runs.
struct AgentHome: Sendable {
    /// Below the home, with their contents.
    private(set) var files: [(path: String, content: String)] = []
    /// Directories below the home that are kept.
    let state: [String]
    /// Whose they are: `recipe-claude`.
    let profile: String
    /// What was left out, and why.
    private(set) var remarks: [String] = []

    private static let bytesMax = 1 << 20
    private static let instructionsBytesMax = 256 << 10

    /// - Parameters:
    ///   - rules: how the run may use models.
    ///   - isSecret: judges what is taken of the user's.
    init(
        _ recipe: Recipe,
        words: [RecipeWord: String],
        rules: ModelRules,
        home: String,
        isSecret: (String) -> Bool
    ) {
        state = recipe.state.map(\.path)
        profile = "recipe-" + recipe.name
        for settings in recipe.settings {
            let own = settings.keys.isEmpty ? nil : Self.content(home + "/" + settings.file, Self.bytesMax)
            if let own, SettingsText.read(own, settings.format) == nil {
                remarks.append("~/\(settings.file) is not read: it is no \(settings.format.rawValue.uppercased())")
            }
            let (content, dropped) = settings.rewritten(own, words: words, rules: rules, isSecret: isSecret)
            for key in dropped { remarks.append("\(key) of ~/\(settings.file) stays outside: it holds a secret") }
            if let content { files.append((settings.file, content)) }
        }
        for place in recipe.instructions {
            guard let bytes = Self.content(home + "/" + place.path, Self.instructionsBytesMax) else { continue }
            guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
                remarks.append("~/\(place.path) stays outside: it is no text")
                continue
            }
            guard !isSecret(text) else {
                remarks.append("~/\(place.path) stays outside: it holds a secret")
                continue
            }
            files.append((place.path, text))
        }
    }

    private static func content(_ path: String, _ bytesMax: Int) -> [UInt8]? {
        try? FileContent.read(trustedPath: path, bytesMax: bytesMax)
    }
}
