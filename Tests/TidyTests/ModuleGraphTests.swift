import Testing

@Suite("imports go one way")
struct ModuleGraphTests {
    private static let importLine = Pattern(
        #"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:package|public|internal|private|fileprivate)\s+)?"#
            + #"import\s+(?:(?:struct|class|enum|func|var|let|protocol|typealias)\s+)?(\w+)"#
    )

    /// What the sources of a module import, with the file that does.
    static func imports(of module: String, in files: [SourceFile]) -> [(name: String, file: String)] {
        files.filter { $0.path.hasPrefix("Sources/\(module)/") && $0.isSwift }.flatMap { file in
            file.code.compactMap { line in importLine.capture(line, group: 1).map { ($0, file.path) } }
        }
    }

    /// Imports that the table does not know.
    static func strays(of module: ModuleGraph.Module, in files: [SourceFile]) -> [String] {
        imports(of: module.name, in: files).filter { name, _ in
            !module.imports.contains(name) && !module.system.contains(name)
        }.map { name, file in "\(file) imports \(name)" }
    }

    private var manifest: Manifest {
        get throws { Manifest(try #require(SourceTree.text("Package.swift"))) }
    }

    @Test("sources import only what the table allows", arguments: ModuleGraph.modules)
    func followsTheTable(module: ModuleGraph.Module) {
        #expect(Self.strays(of: module, in: SourceTree.files) == [])
    }

    @Test("Package.swift and the table say the same", arguments: ModuleGraph.modules)
    func matchesManifest(module: ModuleGraph.Module) throws {
        let target = try #require(try manifest.targets.first { $0.name == module.name })
        #expect(target.dependencies == module.imports)
    }

    /// What only tests and fuzzers are made of.
    private static let forTests: Set<String> = ["FuzzTargets", "TestSupport", "fuzz"]

    @Test("the table names every module, and none of them needs what is there for tests")
    func namesAll() throws {
        let product = try manifest.targets.filter { $0.kind != "testTarget" && !Self.forTests.contains($0.name) }
        #expect(product.flatMap(\.dependencies).filter(Self.forTests.contains) == [])
        #expect(Set(product.map(\.name)) == Set(ModuleGraph.modules.map(\.name)))
        let directories = Set(
            SourceTree.paths.compactMap { $0.dropping(prefix: "Sources/")?.split(separator: "/").first }
        )
        #expect(Set(directories.map(String.init)) == Set(ModuleGraph.modules.map(\.name)))
    }

    @Test("no module reaches itself")
    func hasNoCycle() {
        let graph = Dictionary(uniqueKeysWithValues: ModuleGraph.modules.map { ($0.name, $0.imports) })
        #expect(ModuleGraph.cycle(in: graph) == nil)
        let known = Set(graph.keys).union(ModuleGraph.products)
        for module in ModuleGraph.modules { #expect(module.imports.subtracting(known) == []) }
    }

    @Test("leaf modules import no Foundation", arguments: ModuleGraph.withoutFoundation.sorted())
    func staysFree(module: String) {
        let found = Self.imports(of: module, in: SourceTree.files).filter { $0.name.hasPrefix("Foundation") }
        #expect(found.map(\.file) == [])
    }

    @Test("a system library is imported by the modules that name it", arguments: ModuleGraph.systemLibraries)
    func hasImporters(library: String, expected: [String]) {
        let importers = ModuleGraph.modules.filter { $0.imports.contains(library) }.map(\.name)
        #expect(importers == expected)
    }

    @Test("a stray import, a cycle and a missing arrow are found")
    func canFail() throws {
        let module = ModuleGraph.Module("Domain", ["Files"], system: ["Glibc"])
        let source = "import Glibc\npackage import Files\n@testable import struct Journal.Line\nimport Foundation\n"
        let file = SourceFile(path: "Sources/Domain/Sample.swift", text: source)
        #expect(Self.strays(of: module, in: [file]).count == 2)
        #expect(ModuleGraph.cycle(in: ["A": ["B"], "B": ["C"], "C": ["A"]]) == ["A", "B", "C", "A"])
        #expect(ModuleGraph.cycle(in: ["A": ["B", "C"], "B": ["C"]]) == nil)
        let text = """
                    // .target(name: "Old"),
                    .target(
                        name: "A",
                        dependencies: ["B", .product(name: "C", package: "c-package")],
                        swiftSettings: strict
                    ),
                    .testTarget(name: "ATests", dependencies: ["A"], swiftSettings: strict),
            """
        let targets = Manifest(text.replacing("            ", with: "        ")).targets
        #expect(targets.map(\.name) == ["A", "ATests"])
        #expect(targets.first?.dependencies == ["B", "C"])
    }
}
