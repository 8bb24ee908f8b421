/// The keys of the configuration, as data.
enum ConfigurationKey {
    static let sections = ["sandbox", "limits", "network", "models", "secrets"]

    static func names(in section: String) -> [String] {
        switch section {
        case "sandbox": ["engines", "readable"]
        case "limits":
            [
                "timeout", "memory", "processes", "cpu_time", "output", "workspace_bytes", "workspace_files",
                "open_files", "tokens", "money",
            ]
        case "network": ["allow", "forges", "nat64", "upstreams"]
        case "models": ["allow", "prices", "extras"]
        default: []
        }
    }

    /// The keys of one entry of `network.upstreams`.
    static let upstream = ["host", "port", "address", "ca"]

    /// The keys of one entry of `models.prices`.
    static let price = ["model", "input", "cache_read", "cache_write", "long_cache_write", "output"]

    /// The keys of one entry of `models.extras`.
    static let extra = ["name", "tokens", "money"]

    /// What a project's file may not name at all.
    static let operatorOnly: Set<String> = [
        "sandbox.engines", "sandbox.readable", "network.forges", "network.nat64", "network.upstreams",
        "models.prices", "models.extras", "secrets",
    ]

    /// The keys of one entry of `secrets`.
    static let secret = [
        "name", "host", "port", "header", "method", "path", "scheme", "user", "file", "command", "login",
    ]

    static let listEntriesMax = 256
}
