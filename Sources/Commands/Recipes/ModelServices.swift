import BrokerLink
import Catalogue
import Domain
import Egress
import Policy

/// The services that run models for a command, and how it reaches each: by a base URL inside, or under its own name.
struct ModelServices: Sendable {
    struct Service: Sendable {
        let provider: Provider
        /// The port inside on which it is had in plain HTTP; nil under its own name.
        let gatewayPort: UInt16?
        /// Further variables that hold what stands for the key.
        let also: [String]
        /// Who asks for it, for messages.
        let origin: String
    }

    /// Named by `--model-provider`.
    private(set) var all: [Service] = []

    /// Ports from here on are gateways', on the broker's address.
    private static let firstPort: UInt16 = 3130
    static let option = "--model-provider"

    /// - Parameters:
    ///   - names: the values of `--model-provider`.
    ///   - recipe: names services too, which count where their key is found.
    static func make(
        _ names: [String],
        _ recipe: Recipe?,
        _ configuration: Configuration,
        caller: Caller
    ) throws -> ModelServices {
        var services = ModelServices()
        for name in names {
            guard let provider = try Catalogue.provider(name) else {
                throw CommandError(
                    ExitStatus.usage,
                    "read \(option) \(Printable.text(String(name.prefix(80)))): there is no such service",
                    hint: Catalogue.providerHint(name)
                )
            }
            guard !provider.keyVariables.isEmpty else {
                throw CommandError(
                    ExitStatus.usage,
                    "read \(option) \(name): it takes no key, only a login",
                    hint: "Run the agent itself; its recipe knows its login."
                )
            }
            guard !services.has(name) else {
                let hint = "Leave one out."
                throw CommandError(ExitStatus.usage, "read \(option) \(name): it is there twice", hint: hint)
            }
            services.add(provider, usesBaseURL: true, also: [], origin: option)
        }
        for use in recipe?.providers ?? [] where !services.has(use.name) {
            guard let provider = try Catalogue.provider(use.name) else { continue }
            let isBound = configuration.secrets.contains { $0.binding.host == provider.model.host }
            guard isBound || caller.keyVariable(of: provider) != nil else { continue }
            let origin = "the recipe \(recipe?.name ?? "")"
            services.add(provider, usesBaseURL: use.usesBaseURL, also: use.also, origin: origin)
        }
        return services
    }

    private func has(_ name: String) -> Bool { all.contains { $0.provider.name == name } }

    private mutating func add(_ provider: Provider, usesBaseURL: Bool, also: [String], origin: String) {
        let port = usesBaseURL ? Self.firstPort + UInt16(all.count) : nil
        all.append(Service(provider: provider, gatewayPort: port, also: also, origin: origin))
    }

    /// The keys that are to be bound.
    func requests(_ caller: Caller) throws(CommandError) -> [SecretRequest] {
        var requests: [SecretRequest] = []
        for service in all {
            let provider = service.provider
            guard let name = caller.keyVariable(of: provider) ?? provider.keyVariables.first else { continue }
            do throws(EgressRefusal) {
                let binding = try SecretBinding(
                    host: provider.model.host.text,
                    port: provider.model.port,
                    slot: provider.slot
                )
                requests.append(
                    SecretRequest(name: name, source: .variable, bindings: [binding], origin: service.origin)
                )
            } catch {
                throw CommandError(ExitStatus.failed, "bind the key of \(provider.title): \(error.reason)")
            }
        }
        return requests
    }

    /// What lets the run reach them.
    func entries() throws(EgressRefusal) -> [NetworkRule] {
        var rules: [NetworkRule] = []
        for service in all { rules.append(try NetworkRule(service.provider.model.host.text)) }
        return rules
    }

    /// As the broker is told.
    var settings: [ModelProvider] {
        all.map { service in
            var model = service.provider.model
            model.gatewayPort = service.gatewayPort
            return model
        }
    }

    /// Where programs find them inside, and what they show as a key.
    func variables(_ secrets: RunSecrets) -> [EnvironmentVariable] {
        var values: [String: String] = [:]
        for service in all {
            let provider = service.provider
            if let port = service.gatewayPort {
                for base in provider.baseURLs {
                    values[base.variable] = "http://\(SandboxNetwork.brokerText):\(port)\(base.suffix)"
                }
            }
            guard let key = secrets.key(of: provider) else { continue }
            // The operator may call the secret something else than programs do.
            let isKnown = provider.keyVariables.contains(key.name)
            for name in (isKnown ? [] : provider.keyVariables.prefix(1)) + service.also where values[name] == nil {
                values[name] = key.placeholder.text
            }
        }
        return values.sorted { $0.key < $1.key }.map { EnvironmentVariable(name: $0.key, value: $0.value) }
    }

    /// What stands for the first service's key that is there.
    func placeholder(_ secrets: RunSecrets) -> String? {
        all.lazy.compactMap { secrets.key(of: $0.provider)?.placeholder.text }.first
    }
}

extension RunSecrets {
    /// What is held for a service, other than a login.
    fileprivate func key(of provider: Provider) -> HeldSecret? {
        held.first { secret in
            secret.form == .value
                && secret.bindings.contains { $0.host == provider.model.host && $0.port == provider.model.port }
        }
    }
}

extension Caller {
    /// The variable in which a service's key is found, itself or in the file that it names.
    func keyVariable(of provider: Provider) -> String? {
        provider.keyVariables.first { name in
            [name, name + "_FILE"].contains { environment[$0].map { !$0.isEmpty } ?? false }
        }
    }
}
