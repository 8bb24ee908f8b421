import Policy

/// Reads the configuration's layers from their places.
enum ConfigurationFiles {
    private static let bytesMax = 1 << 20

    static func load(caller: Caller, project: String) throws -> Configuration {
        try Configuration.load(
            system: try source("/etc/bailey/config.yml", caller, ownersAllowed: [0]),
            operator: try source(operatorFile(caller), caller, ownersAllowed: [0, caller.userID]),
            project: try source(project + "/bailey.yml", caller, ownersAllowed: nil)
        )
    }

    static func operatorFile(_ caller: Caller) -> String { operatorDirectory(caller) + "/config.yml" }

    static func operatorDirectory(_ caller: Caller) -> String {
        let base = caller.environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        return (base ?? caller.home + "/.config") + "/bailey"
    }

    private static func source(
        _ path: String,
        _ caller: Caller,
        ownersAllowed: [UInt32]?
    ) throws -> ConfigurationSource? {
        try OperatorFile.read(path, ownersAllowed: ownersAllowed, bytesMax: bytesMax).map {
            ConfigurationSource(label: path, bytes: $0)
        }
    }
}
