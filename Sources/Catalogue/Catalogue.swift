package import Policy

/// What is known of services and agents without anybody's configuration.
package enum Catalogue {
    /// The services, by name.
    package static let providerNames = BuiltIn.providers.map(\.name).sorted()

    /// A service by its name; nil where none is called so.
    package static func provider(_ name: String) throws(ConfigurationError) -> Provider? {
        guard let file = BuiltIn.providers.first(where: { $0.name == name }) else { return nil }
        return try Provider(file.bytes(), file: "provider \(name)")
    }
}
