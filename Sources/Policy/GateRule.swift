package import Domain

/// One rule of the commit gate, as `policy explain` lists it.
package struct GateRule: Sendable {
    /// What a rule looks at.
    package enum Subject: Sendable, Hashable {
        case path(PathPattern)
        case property(Property)
    }

    /// What is not a matter of a name.
    package enum Property: String, Sendable, CaseIterable {
        case foreignTree = "a tree that is not the project"
        case unreadableName = "a name that is not valid UTF-8"
        case deceptiveName = "a name with control, bidirectional or invisible characters"
        case optionName = "a name that begins with a dash"
        case backslashName = "a name with a backslash"
        case device = "a device node"
        case setID = "a file with the set-uid or set-gid bit"
        case shutProject = "a mode that shuts the owner out of the project's own directory"
        case shutDirectory = "a directory that its owner may not list, enter or write"
        case secretName = "a file or directory of the kind that is hidden from commands"
        case setGroupDirectory = "a new set-gid bit on a directory"
        case worldWritable = "a file or directory that everybody may write"
        case leavingLink = "a symbolic link that leaves the project"
        case protectedLink = "a symbolic link to something that must not be changed"
        case hiddenLink = "a symbolic link to a hidden path"
        case systemLink = "an absolute symbolic link into the system or a toolchain"
        case newExecutable = "a file that became executable"
        case dropped = "a FIFO or a socket"
    }

    package let id: RuleID
    /// `note`, `ask` or `deny`.
    package let level: Verdict
    package let subject: Subject
    package let reason: String

    package var pattern: String {
        switch subject {
        case .path(let pattern): pattern.description
        case .property(let property): property.rawValue
        }
    }

    init(_ id: StaticString, _ level: Verdict, _ property: Property, _ reason: String) {
        self.id = RuleID(id)
        self.level = level
        self.subject = .property(property)
        self.reason = reason
    }

    private init(id: RuleID, level: Verdict, pattern: PathPattern, reason: String) {
        self.id = id
        self.level = level
        self.subject = .path(pattern)
        self.reason = reason
    }

    /// One rule per pattern, with the same id and reason.
    static func paths(
        _ id: StaticString,
        _ level: Verdict,
        _ reason: String,
        _ patterns: [StaticString]
    ) -> [GateRule] {
        patterns.map { GateRule(id: RuleID(id), level: level, pattern: PathPattern($0), reason: reason) }
    }
}
