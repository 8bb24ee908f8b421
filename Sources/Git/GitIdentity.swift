import Domain

/// What of the user's git configuration goes into a command's home: who they are, and nothing that runs.
package struct GitIdentity: Sendable, Equatable {
    /// Bounds on what is taken over.
    package enum Limits { package static let valueBytesMax = 1024 }

    package private(set) var name: String?
    package private(set) var email: String?
    package private(set) var defaultBranch: String?
    /// The path as the user wrote it, perhaps with `~/`; its content goes inside, not the path.
    package private(set) var excludesFile: String?
    /// True if the user set git-lfs up.
    package private(set) var usesLFS = false
    /// Which of the layers, by position, could not be read; nothing of them is taken over.
    package private(set) var unreadableLayers: [Int] = []

    /// - Parameter layers: the content of the user's files, the weakest first: the system's, that of the configuration
    ///   directory, that of the home. What they include is not followed.
    package init(layers: [[UInt8]]) {
        for (position, layer) in layers.enumerated() {
            guard let file = try? GitConfigFile(layer) else {
                unreadableLayers.append(position)
                continue
            }
            name = file.value("user.name").flatMap(Self.safe) ?? name
            email = file.value("user.email").flatMap(Self.safe) ?? email
            defaultBranch = file.value("init.defaultbranch").flatMap(Self.safeBranch) ?? defaultBranch
            excludesFile = file.value("core.excludesfile").flatMap(Self.safe) ?? excludesFile
            if file.value("filter.lfs.process") != nil || file.value("filter.lfs.clean") != nil { usesLFS = true }
        }
    }

    /// The configuration file for the command's home.
    ///
    /// - Parameters:
    ///   - excludesPath: where the content of the user's excludes file lies inside; nil for none.
    ///   - hasLFS: whether git-lfs is installed inside.
    ///   - ownersDiffer: whether files show another owner inside than outside. Git's index has the owner of each file,
    ///     and where that differs git reads every file again, at each status; it is told not to look at owners then,
    ///     for which its one word is `core.checkStat` (git-config(1)).
    package func render(excludesPath: String?, hasLFS: Bool, ownersDiffer: Bool) -> String {
        var text = ""
        func section(_ header: String, _ entries: [(String, String?)]) {
            let lines = entries.compactMap { key, value in value.map { "\t\(key) = \(Self.quoted($0))\n" } }
            if !lines.isEmpty { text += "[\(header)]\n" + lines.joined() }
        }
        section("user", [("name", name), ("email", email)])
        section("init", [("defaultBranch", defaultBranch)])
        section("core", [("excludesFile", excludesPath), ("checkStat", ownersDiffer ? "minimal" : nil)])
        if usesLFS, hasLFS {
            // Git LFS's own values: the user's are commands.
            section(
                "filter \"lfs\"",
                [
                    ("clean", "git-lfs clean -- %f"), ("smudge", "git-lfs smudge -- %f"),
                    ("process", "git-lfs filter-process"),
                    ("required", "true"),
                ]
            )
        }
        return text
    }

    /// Nil for what is empty, too long or holds control characters.
    private static func safe(_ value: String) -> String? {
        let isPlain = Printable.isPlain(Array(value.utf8.filter { $0 != UInt8(ascii: "\\") }))
        return value.isEmpty || value.utf8.count > Limits.valueBytesMax || !isPlain ? nil : value
    }

    private static func safeBranch(_ value: String) -> String? {
        RefName.isValid(Array("refs/heads/\(value)".utf8)) ? value : nil
    }

    private static func quoted(_ value: String) -> String {
        var text = "\""
        for character in value.unicodeScalars {
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            default: text.unicodeScalars.append(character)
            }
        }
        return text + "\""
    }
}
