package import Egress

/// How commands are walled in, by what can do it. The names are those of the command line and the configuration.
package enum EngineName: String, Sendable, CaseIterable {
    case native, bubblewrap, landlock
}

/// One configuration file's bytes and what to call it in an error.
package struct ConfigurationSource: Sendable {
    package let label: String
    package let bytes: [UInt8]

    package init(label: String, bytes: [UInt8]) {
        self.label = label
        self.bytes = bytes
    }
}

/// What the operator set, narrowed by the project.
package struct Configuration: Sendable, Equatable {
    /// Engines that may be used, best first. A lower one only where the operator lists it.
    package var engines: [EngineName] = [.native]
    /// More directories and files that commands may read: absolute, without `..`. Whether one is a credential place is
    /// for who knows the homes: see ``CredentialPlaces``.
    package var readable: [String] = []
    /// Limits that a file sets.
    package var limits = LimitSettings()
    /// What may be reached.
    package var network = NetworkPolicy()
    /// Models that may be used: names, each with `*` at its end for all that begin so; nil for every model.
    package var models: [String]?
    /// What models cost beside what is known of their providers.
    package var prices: [ModelProvider.Price] = []
    /// What services may do beside answering in a run whose tokens or money are limited.
    package var extras: [ModelRules.Extra] = []
    /// Hosts of git repositories beside the well-known ones.
    package var forges: Set<HostName> = []
    /// What is held outside for a command, and where it goes.
    package var secrets: [SecretSetting] = []
    /// Logins that commands may use.
    package var logins: [LoginName] = []

    /// The safe defaults.
    package init() {}

    /// Reads the layers: the system's file, the operator's own above it, and the project's, which can only narrow.
    package static func load(
        system: ConfigurationSource?,
        operator own: ConfigurationSource?,
        project: ConfigurationSource?
    ) throws(ConfigurationError) -> Configuration {
        var configuration = Configuration()
        var secrets = ConfigurationLayer.Secrets()
        for source in [system, own].compactMap({ $0 }) {
            let layer = try ConfigurationLayer(source, writer: .operator)
            configuration.engines = layer.engines ?? configuration.engines
            configuration.readable = layer.readable ?? configuration.readable
            configuration.limits = layer.limits.over(configuration.limits)
            configuration.network.allow = layer.network.allow ?? configuration.network.allow
            configuration.network.upstreams = layer.network.upstreams ?? configuration.network.upstreams
            if let nat64 = layer.network.nat64 { configuration.network.addresses = AddressGuard(nat64: nat64) }
            configuration.models = layer.models.allow ?? configuration.models
            configuration.prices = layer.models.prices ?? configuration.prices
            configuration.extras = layer.models.extras ?? configuration.extras
            configuration.forges = layer.network.forges ?? configuration.forges
            secrets = layer.secrets ?? secrets
        }
        configuration.logins = secrets.logins
        for entry in secrets.entries {
            configuration.secrets.append(try entry.setting(isForge: configuration.isForge))
        }
        if let project {
            let layer = try ConfigurationLayer(project, writer: .project)
            configuration.limits = configuration.limits.narrowed(by: layer.limits)
            configuration.network.narrowed = layer.network.allow
            if let models = layer.models.allow {
                configuration.models = configuration.models.map { ModelRules.both($0, models) } ?? models
            }
        }
        return configuration
    }

    /// True for hosts of git repositories, well-known ones or the operator's, and for all names below them.
    package func isForge(_ name: HostName) -> Bool {
        KnownForges.contains(name) || forges.contains(name) || forges.contains { name.isBelow($0) }
    }
}
