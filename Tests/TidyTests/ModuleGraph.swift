/// Which module may import what. An arrow is written here and in Package.swift, so that none appears by accident.
///
/// Arrows go one way. A module that is not named here does not belong to the package.
enum ModuleGraph {
    struct Module: Sendable, CustomStringConvertible {
        let name: String
        /// Modules of this package and products of its dependencies.
        let imports: Set<String>
        /// Modules that come with the tool chain.
        let system: Set<String>

        init(_ name: String, _ imports: Set<String>, system: Set<String> = []) {
            self.name = name
            self.imports = imports
            self.system = system
        }

        var description: String { name }
    }

    static let modules: [Module] = [
        // Leaves
        Module("CLinux", []),
        Module("CSeccomp", []),
        Module("CZlib", []),
        Module("Domain", [], system: ["Glibc"]),
        Module("Files", ["CLinux"], system: ["Glibc", "Synchronization"]),
        Module("LauncherCore", ["CLinux"], system: ["Glibc"]),

        // What may be done, and what is known of it
        Module("Egress", ["Domain"]),
        Module("Policy", ["Domain", "Egress", "Yams"]),
        Module("Authority", ["Domain", "Policy"]),
        Module("Catalogue", ["Domain", "Egress", "Policy"]),
        Module("Redaction", ["Domain"]),
        Module("Journal", ["Crypto", "Domain", "Files", "Redaction"], system: ["Glibc", "Synchronization"]),

        // The network's broker, and what it is told
        Module("BrokerLink", ["CLinux", "Domain", "Egress"], system: ["Glibc", "Synchronization"]),
        Module(
            "Broker",
            [
                "BrokerLink", "CLinux", "CZlib", "Crypto", "Domain", "Egress", "NIOCore", "NIOHPACK", "NIOHTTP2",
                "NIOPosix", "NIOSSL", "NIOTLS", "SwiftASN1", "X509",
            ],
            system: ["FoundationEssentials", "Glibc", "Synchronization"]
        ),
        Module("bailey-broker", ["Broker"]),

        // How it is done
        Module(
            "Sandbox",
            ["Authority", "BrokerLink", "CLinux", "CSeccomp", "Crypto", "Domain", "Egress", "Files", "LauncherCore"],
            system: ["Glibc", "Synchronization"]
        ),
        Module(
            "Workspace",
            ["Authority", "Crypto", "Domain", "Files", "Policy"],
            system: ["Glibc", "Synchronization"]
        ),
        Module(
            "Git",
            ["CZlib", "Crypto", "Domain", "Files", "Sandbox", "Workspace"],
            system: ["Glibc", "Synchronization"]
        ),

        // What a person calls
        Module(
            "Commands",
            [
                "ArgumentParser", "Authority", "BrokerLink", "Catalogue", "CLinux", "Crypto", "Domain", "Egress",
                "Files", "Git", "Journal", "Policy", "Redaction", "Sandbox", "Workspace",
            ],
            system: ["Dispatch", "Foundation", "FoundationEssentials", "Glibc", "Synchronization"]
        ),
        Module("bailey", ["Commands"], system: ["Glibc"]),
        Module("bailey-launcher", ["LauncherCore"], system: ["Glibc"]),

        // What a measurement calls
        Module(
            "bailey-bench",
            [
                "Authority", "Broker", "BrokerLink", "Domain", "Egress", "Files", "Journal", "NIOCore", "NIOPosix",
                "Redaction", "Workspace",
            ],
            system: ["Glibc"]
        ),
    ]

    /// Modules that stay free of Foundation, which costs start time and brings its own idea of paths and text.
    static let withoutFoundation: Set<String> = [
        "Authority", "Catalogue", "Domain", "Egress", "Files", "Git", "Journal", "LauncherCore", "Policy", "Redaction",
        "Sandbox", "Workspace", "bailey-bench", "bailey-launcher",
    ]

    /// System libraries, each with the Swift modules that import it.
    static let systemLibraries = [("CSeccomp", ["Sandbox"]), ("CZlib", ["Broker", "Git"])]

    static let products: Set<String> = [
        "ArgumentParser", "Crypto", "NIOCore", "NIOHPACK", "NIOHTTP2", "NIOPosix", "NIOSSL", "NIOTLS",
        "SwiftASN1", "X509", "Yams",
    ]

    /// A path of imports that comes back to where it began, or nil.
    static func cycle(in graph: [String: Set<String>]) -> [String]? {
        var finished: Set<String> = []
        func visit(_ name: String, _ path: [String]) -> [String]? {
            if let start = path.firstIndex(of: name) { return Array(path[start...]) + [name] }
            if finished.contains(name) { return nil }
            for next in (graph[name] ?? []).sorted() {
                if let found = visit(next, path + [name]) { return found }
            }
            finished.insert(name)
            return nil
        }
        for name in graph.keys.sorted() {
            if let found = visit(name, []) { return found }
        }
        return nil
    }
}
