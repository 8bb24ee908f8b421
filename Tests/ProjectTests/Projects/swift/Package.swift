// swift-tools-version: 6.0

import PackageDescription

let package = Package(
    name: "tool",
    dependencies: [.package(path: "Vendor/Yams")],
    targets: [.executableTarget(name: "tool", dependencies: [.product(name: "Yams", package: "Yams")])]
)
