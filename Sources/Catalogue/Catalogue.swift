package import Policy

/// What is known of services and agents without anybody's configuration.
package enum Catalogue {
    /// The services, by name.
    package static let providerNames = BuiltIn.providers.map(\.name).sorted()

    /// Services that agents use with the login of a subscription.
    package static let loginProviderNames = ["anthropic", "chatgpt", "openai"]
    /// The service that takes a login alone, so that nobody can name it.
    private static let loginOnly = "chatgpt"

    /// What helps somebody who wrote another name.
    package static func providerHint(_ name: String) -> String {
        let names = providerNames.filter { $0 != loginOnly }
        let nearest = NearestName.find(name, among: names).map { "Did you mean \($0)? " } ?? ""
        return nearest + "The services are \(names.joined(separator: ", "))."
    }

    /// The agents, by name.
    package static let recipeNames = BuiltIn.recipes.map(\.name).sorted()

    /// The recipe for an agent; nil where Bailey itself has none.
    package static func recipe(_ name: String) throws(ConfigurationError) -> Recipe? {
        guard let file = BuiltIn.recipes.first(where: { $0.name == name }) else { return nil }
        return try Recipe(file.bytes(), file: "recipe \(name)")
    }

    /// The agent that a program's name, a module's or a package's belongs to; nil for nobody's. This is asked at every
    /// run, so that no file is read for it.
    package static func recipeName(_ kind: Recipe.Program.Kind, _ name: String) -> String? {
        BuiltIn.programs.first { $0.kind == kind && $0.name == name }?.recipe
    }

    /// A service by its name; nil where none is called so.
    package static func provider(_ name: String) throws(ConfigurationError) -> Provider? {
        guard let file = BuiltIn.providers.first(where: { $0.name == name }) else { return nil }
        return try Provider(file.bytes(), file: "provider \(name)")
    }
}
