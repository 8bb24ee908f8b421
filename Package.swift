// swift-tools-version: 6.2

import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let strictC: [CSetting] = [
    .unsafeFlags(["-Wall", "-Wextra", "-Werror"])
]

let package = Package(
    name: "bailey",
    products: [
        .executable(name: "bailey", targets: ["bailey"]),
        .executable(name: "bailey-broker", targets: ["bailey-broker"]),
        .executable(name: "bailey-launcher", targets: ["bailey-launcher"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1", exact: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", exact: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", exact: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: [
        // Authority
        .target(
            name: "Authority",
            dependencies: ["Domain", "Policy"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "AuthorityTests",
            dependencies: ["Authority", "Domain", "TestSupport"],
            swiftSettings: strict
        ),

        // bailey
        .executableTarget(
            name: "bailey",
            dependencies: ["Commands"],
            swiftSettings: strict,
            // A third of a static program is symbols that nobody needs to run it.
            linkerSettings: [.unsafeFlags(["-Xlinker", "-s"], .when(platforms: [.linux], configuration: .release))]
        ),

        // bailey-bench: what script/bench asks to measure parts of the product; never installed
        .executableTarget(
            name: "bailey-bench",
            dependencies: [
                "Authority", "Broker", "BrokerLink", "Domain", "Egress", "Files", "Journal", "Redaction", "Workspace",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),

        // bailey-broker: a process of its own, so that a run without network never loads what only the network needs
        .executableTarget(
            name: "bailey-broker",
            dependencies: ["Broker"],
            swiftSettings: strict,
            linkerSettings: [.unsafeFlags(["-Xlinker", "-s"], .when(platforms: [.linux], configuration: .release))]
        ),

        // bailey-launcher: fully static, so that it starts without a dynamic loader inside an empty root.
        .executableTarget(
            name: "bailey-launcher",
            dependencies: ["LauncherCore"],
            swiftSettings: strict,
            linkerSettings: [
                .unsafeFlags(["-static-executable"], .when(platforms: [.linux], configuration: .debug)),
                .unsafeFlags(
                    ["-static-executable", "-Xlinker", "--gc-sections", "-Xlinker", "-s"],
                    .when(platforms: [.linux], configuration: .release)
                ),
            ]
        ),

        // Broker
        .target(
            name: "Broker",
            dependencies: [
                "BrokerLink", "CLinux", "CZlib", "Domain", "Egress",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "X509", package: "swift-certificates"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "BrokerTests",
            dependencies: [
                "Broker", "BrokerLink", "Domain", "Egress", "TestSupport", "bailey-broker",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),

        // BrokerLink
        .target(name: "BrokerLink", dependencies: ["CLinux", "Domain", "Egress"], swiftSettings: strict),
        .testTarget(
            name: "BrokerLinkTests",
            dependencies: ["BrokerLink", "Domain", "Egress", "TestSupport"],
            swiftSettings: strict
        ),

        // Catalogue
        .target(
            name: "Catalogue",
            dependencies: ["Domain", "Egress", "Policy"],
            resources: [.embedInCode("Providers"), .embedInCode("Recipes")],
            swiftSettings: strict
        ),
        .testTarget(
            name: "CatalogueTests",
            dependencies: ["Catalogue", "Domain", "Egress", "Policy"],
            swiftSettings: strict
        ),

        // CLinux
        .target(name: "CLinux", cSettings: strictC),

        // Commands
        .target(
            name: "Commands",
            dependencies: [
                "Authority", "BrokerLink", "Catalogue", "CLinux", "Domain", "Egress", "Files", "Git", "Journal",
                "Policy", "Redaction", "Sandbox", "Workspace",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict
        ),

        // CSeccomp, CZlib
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // Domain
        .target(name: "Domain", swiftSettings: strict),
        .testTarget(name: "DomainTests", dependencies: ["Domain"], swiftSettings: strict),

        // Egress
        .target(name: "Egress", dependencies: ["Domain"], swiftSettings: strict),
        .testTarget(name: "EgressTests", dependencies: ["Domain", "Egress", "TestSupport"], swiftSettings: strict),

        // Files
        .target(name: "Files", dependencies: ["CLinux"], swiftSettings: strict),
        .testTarget(name: "FilesTests", dependencies: ["Files", "TestSupport"], swiftSettings: strict),

        // Git
        .target(
            name: "Git",
            dependencies: [
                "CZlib", "Domain", "Files", "Sandbox", "Workspace", .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "GitTests",
            dependencies: ["Domain", "Files", "Git", "TestSupport", "Workspace"],
            swiftSettings: strict
        ),

        // Journal
        .target(
            name: "Journal",
            dependencies: ["Domain", "Files", "Redaction", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict
        ),
        .testTarget(
            name: "JournalTests",
            dependencies: ["Domain", "Files", "Journal", "Redaction", "TestSupport"],
            swiftSettings: strict
        ),

        // LauncherCore
        .target(name: "LauncherCore", dependencies: ["CLinux"], swiftSettings: strict),
        .testTarget(name: "LauncherCoreTests", dependencies: ["LauncherCore", "TestSupport"], swiftSettings: strict),

        // Policy
        .target(
            name: "Policy",
            dependencies: ["Domain", "Egress", .product(name: "Yams", package: "Yams")],
            swiftSettings: strict
        ),
        .testTarget(name: "PolicyTests", dependencies: ["Domain", "Egress", "Policy"], swiftSettings: strict),

        // Redaction
        .target(name: "Redaction", dependencies: ["Domain"], swiftSettings: strict),
        .testTarget(name: "RedactionTests", dependencies: ["Redaction"], swiftSettings: strict),

        // Sandbox
        .target(
            name: "Sandbox",
            dependencies: [
                "Authority", "BrokerLink", "CLinux", "CSeccomp", "Domain", "Egress", "Files", "LauncherCore",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SandboxTests",
            dependencies: ["Authority", "Domain", "Files", "Sandbox", "TestSupport"],
            swiftSettings: strict
        ),

        // Workspace
        .target(
            name: "Workspace",
            dependencies: [
                "Authority", "Domain", "Files", "Policy", .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "WorkspaceTests",
            dependencies: [
                "Authority", "Domain", "Files", "Policy", "TestSupport", "Workspace",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict
        ),

        // Whole-product tests
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(
            name: "AttackTests",
            dependencies: ["TestSupport", "bailey", "bailey-broker"],
            exclude: ["Probes", "rows.tsv"],
            swiftSettings: strict
        ),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Broker", "BrokerLink", "CLinux", "Domain", "Egress", "Files", "Git", "Journal", "LauncherCore",
                "Policy", "Redaction", "Sandbox", "TestSupport", "Workspace",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
            ],
            path: "Tests/FuzzTargets",
            swiftSettings: strict
        ),
        .testTarget(
            name: "FuzzTests",
            dependencies: ["Domain", "FuzzTargets", "Workspace"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ProjectTests",
            dependencies: ["TestSupport", "bailey"],
            exclude: ["Projects"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SystemTests",
            dependencies: ["TestSupport", "bailey", "bailey-broker"],
            swiftSettings: strict
        ),
        .testTarget(name: "TidyTests", dependencies: ["TestSupport"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)

// The fuzzers are built by script/full/fuzz alone, with libFuzzer in place of a main function.
if Context.environment["BAILEY_FUZZ"] == "1" {
    package.targets.append(
        .executableTarget(
            name: "fuzz",
            dependencies: ["FuzzTargets"],
            path: "Tests/FuzzDriver",
            swiftSettings: strict
        )
    )
}
