import Testing

@Suite("the documentation keeps its shape")
struct DocumentationTests {
    private static let link = Pattern(#"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)"#)

    static func headings(_ text: String) -> [String] {
        text.split(separator: "\n").filter { $0.hasPrefix("## ") }.map { String($0.dropFirst(3)) }
    }

    @Test("the security guide carries a version, a date and its sections")
    func guideHasItsSections() throws {
        let text = try #require(SourceTree.text("docs/security.md"))
        #expect(Pattern(#"(?m)^Version \d+\.\d+\.\d+ · last updated \d{4}-\d{2}-\d{2}$"#).matches(text))
        let sections = [
            "Overview", "General security", "Credentials", "Code review", "Network", "Compliance", "Related documents",
        ]
        #expect(Self.headings(text).filter(sections.contains) == sections)
        #expect(text.contains("### Development and production"))
    }

    @Test("the ignore rules cover run data, environment files and keys")
    func ignoresRunData() throws {
        let rules = try #require(SourceTree.text(".gitignore")).split(separator: "\n").map(String.init)
        let needed = [".bailey/", ".env", ".env.local", ".env.*.local", "*.pem", "*.key", "credentials.json"]
        #expect(needed.filter { !rules.contains($0) } == [])
    }

    @Test("links between documents lead somewhere")
    func linksResolve() {
        let documents = SourceTree.files.filter { $0.path.hasSuffix(".md") }
        #expect(documents.count > 8)
        for document in documents {
            for target in Self.link.captures(document.lines.joined(separator: "\n"), group: 1) {
                let path = Self.resolve(target, from: document.path)
                #expect(SourceTree.paths.contains(path), "\(document.path) links to \(target)")
            }
        }
    }

    @Test("every option in the guides is in the command reference")
    func optionsAreListed() throws {
        let reference = try #require(SourceTree.text("docs/cli.md"))
        let option = Pattern(#"bailey [^`\n]*?(--[a-z][a-z-]+)"#)
        for guide in ["user-guide", "security", "configuration", "sandbox"] {
            let file = "docs/\(guide).md"
            let text = try #require(SourceTree.text(file))
            for name in option.captures(text, group: 1) {
                #expect(reference.contains(name), "\(file) names \(name)")
            }
        }
    }

    @Test("every module has its paragraph", arguments: ModuleGraph.modules)
    func moduleIsDescribed(module: ModuleGraph.Module) throws {
        #expect(try #require(SourceTree.text("ARCHITECTURE.md")).contains("**\(module.name)**"))
    }

    private static func resolve(_ target: String, from document: String) -> String {
        var parts = document.split(separator: "/").dropLast().map(String.init)
        for part in target.split(separator: "/").map(String.init) {
            if part == ".." { parts = Array(parts.dropLast()) } else if part != "." { parts.append(part) }
        }
        return parts.joined(separator: "/")
    }
}
