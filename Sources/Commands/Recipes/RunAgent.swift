import BrokerLink
import Catalogue
import Domain
import Egress
import Policy
import Redaction

/// What a run is known to be before it begins: the recipe that it follows, and the services that it uses.
struct RunAgent: Sendable {
    let recipe: Recipe?
    let services: ModelServices

    /// Finds both; says why an agent's name is not taken for the agent.
    static func find(
        _ words: [String],
        _ options: RunOptions,
        _ configuration: Configuration,
        _ match: @autoclosure () throws -> RecipeMatch,
        console: Console,
        caller: Caller
    ) throws -> RunAgent {
        let match = options.noRecipe ? nil : try match()
        var recipe: Recipe?
        if let match {
            if let name = options.recipe {
                recipe = try match.shelf.named(name, option: "read --recipe")
            } else {
                switch try match.find(words) {
                case .recipe(let found): recipe = found
                case .none: break
                case .refused(let found, let why):
                    console.remark(
                        "\(Printable.text(words[0])) is not run as \(found.title): \(why); "
                            + "--recipe \(found.name) runs it so"
                    )
                }
            }
        }
        let services = try ModelServices.make(options.network.providers, recipe, configuration, caller: caller)
        return RunAgent(recipe: recipe, services: services)
    }

    /// What is to be held outside for it.
    func requests(_ caller: Caller) throws(CommandError) -> [SecretRequest] {
        var requests = try services.requests(caller)
        for secret in recipe?.secrets ?? [] where caller.hasValue(secret.name) {
            let origin = "the recipe \(recipe?.name ?? "")"
            requests.append(
                SecretRequest(name: secret.name, source: .variable, bindings: [secret.binding], origin: origin)
            )
        }
        return requests
    }

    /// What it may reach beside what is bound.
    func entries() throws -> [NetworkRule] { try services.entries() + (recipe?.hosts.map(\.rule) ?? []) }

    /// As the broker is told: its services, and those that a login leads to.
    func providers(_ secrets: RunSecrets) throws -> [ModelProvider] {
        var providers = services.settings
        let hosts = secrets.held.filter { $0.form != .value }.flatMap(\.bindings).map(\.host)
        for name in hosts.isEmpty ? [] : Catalogue.loginProviderNames {
            guard let model = try Catalogue.provider(name)?.model, hosts.contains(model.host),
                !providers.contains(where: { $0.host == model.host })
            else { continue }
            providers.append(model)
        }
        return providers
    }

    /// Its variables inside, in the order in which later ones win.
    func variables(_ secrets: RunSecrets, caller: Caller, project: String) -> [EnvironmentVariable] {
        var variables: [EnvironmentVariable] = []
        let words = words(secrets, caller: caller, project: project)
        for variable in (recipe?.variables ?? []) + (recipe?.wall ?? []) {
            let value = variable.value.map { RecipeWord.filled($0, words) } ?? caller.environment[variable.name]
            if let value { variables.append(EnvironmentVariable(name: variable.name, value: value)) }
        }
        return variables + services.variables(secrets)
    }

    /// What it finds in its home; nil for a command without a recipe.
    ///
    /// - Parameter rules: how the run may use models.
    func home(_ secrets: RunSecrets, _ rules: ModelRules, caller: Caller, project: String) -> AgentHome? {
        guard let recipe else { return nil }
        let sensitive = caller.environment.filter { SensitiveVariable.isSensitive($0.key) }
        let redactor = Redactor(secrets: sensitive.map(\.value))
        let words = words(secrets, caller: caller, project: project)
        return AgentHome(recipe, words: words, rules: rules, home: caller.home) { text in
            !redactor.secretSpans(in: Array(text.utf8)).isEmpty
        }
    }

    private func words(_ secrets: RunSecrets, caller: Caller, project: String) -> [RecipeWord: String] {
        var words: [RecipeWord: String] = [.project: project, .home: caller.home]
        if let key = services.placeholder(secrets) {
            words[.key] = key
            words[.keyEnding] = String(key.suffix(20))
        }
        return words
    }

    /// What is missing for it to work, as one line; nil where nothing is.
    func missing(_ secrets: RunSecrets) -> String? {
        guard let recipe, !recipe.providers.isEmpty || !recipe.logins.isEmpty, services.all.isEmpty else { return nil }
        guard !secrets.held.contains(where: { $0.form != .value }) else { return nil }
        let keys = recipe.providers.compactMap { try? Catalogue.provider($0.name)?.keyVariables.first }
        let shown = keys.prefix(3).joined(separator: ", ") + (keys.count > 3 ? " or another service's key" : "")
        guard let login = recipe.logins.first else { return "warning: \(recipe.title) has no key here: set \(shown)" }
        let form: HeldSecret.Form = login.kind == .claude ? .claudeLogin : .codexLogin
        return "warning: \(recipe.title) has no key and no login here, and reaches no model: set \(shown), or log in "
            + "outside, without Bailey (\(form.logIn)), and run this again; a login in here leads nowhere"
    }
}

extension Caller {
    /// True where a secret is found in a variable, or in the file that it names.
    func hasValue(_ name: String) -> Bool {
        [name, name + "_FILE"].contains { environment[$0].map { !$0.isEmpty } ?? false }
    }
}
