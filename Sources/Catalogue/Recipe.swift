package import Domain
package import Egress

/// How one agent is run: by what it is known, what it reaches, and what it finds in its home. Each line has a sentence
/// that says why it is there.
package struct Recipe: Sendable {
    /// By what a command line is known to start the agent.
    package struct Program: Sendable {
        package enum Kind: String, Sendable, CaseIterable {
            /// The name of an executable file.
            case program
            /// `python -m NAME`.
            case module
            /// `npx NAME`.
            case npx
            /// `uvx NAME`.
            case uvx
        }

        package let kind: Kind
        package let name: String
        package let why: String
    }

    /// An entry as in `network: allow`.
    package struct Host: Sendable {
        package let rule: NetworkRule
        package let why: String
    }

    /// A service that the agent may use, if its key is found.
    package struct ProviderUse: Sendable {
        package let name: String
        /// Over plain HTTP inside, by the agent's base URL; else under the service's own name.
        package let usesBaseURL: Bool
        /// Further variables that the agent reads the key from.
        package let also: [String]
        package let why: String
    }

    /// A secret beside the services' keys.
    package struct SecretUse: Sendable {
        package let name: String
        package let binding: SecretBinding
        package let why: String
    }

    /// A subscription's login, which the agent keeps in a file of its own.
    package struct LoginUse: Sendable {
        package enum Kind: String, Sendable, CaseIterable { case claude, codex }

        package let kind: Kind
        package let why: String
    }

    package struct Variable: Sendable {
        package let name: String
        /// Nil for the caller's own value.
        package let value: String?
        package let why: String
    }

    /// A file of the agent's settings, written anew from what is listed.
    package struct Settings: Sendable {
        /// Below the home.
        package let file: String
        package let format: SettingsFormat
        /// Keys that are taken from the user's own file.
        package let keys: [[String]]
        /// Keys that are set.
        package let set: [Setting]
        package let why: String
    }

    package struct Setting: Sendable {
        package let key: [String]
        package let value: JSONValue
        package let why: String
        /// True where it tells the agent's own sandbox that it runs inside one.
        package let isWall: Bool
        /// It is set only where a budget does not hold this: see `models.extras`. Nil for always.
        package let withoutExtra: String?
    }

    /// A file or directory below the home.
    package struct Place: Sendable {
        package let path: String
        package let why: String
    }

    package let name: String
    package let title: String
    package let about: String
    package internal(set) var programs: [Program] = []
    package internal(set) var hosts: [Host] = []
    package internal(set) var providers: [ProviderUse] = []
    package internal(set) var secrets: [SecretUse] = []
    package internal(set) var logins: [LoginUse] = []
    package internal(set) var variables: [Variable] = []
    /// Variables that tell the agent's own sandbox that it runs inside one.
    package internal(set) var wall: [Variable] = []
    package internal(set) var settings: [Settings] = []
    /// Texts of the user's that the agent reads: visible as copies.
    package internal(set) var instructions: [Place] = []
    /// Directories that are kept from one run to the next of the same project.
    package internal(set) var state: [Place] = []

    init(name: String, title: String, about: String) {
        (self.name, self.title, self.about) = (name, title, about)
    }

    /// True where something tells the agent that it runs inside a sandbox.
    package var tellsOfWall: Bool { !wall.isEmpty || settings.contains { $0.set.contains(where: \.isWall) } }
}

/// How a file of settings is written.
package enum SettingsFormat: String, Sendable, CaseIterable { case json, toml, yaml }

/// What stands in a recipe for something that each run has its own of.
package enum RecipeWord: String, Sendable, CaseIterable {
    /// The project's path.
    case project = "{project}"
    /// The home inside.
    case home = "{home}"
    /// What stands for the key of the first service whose key is found.
    case key = "{key}"
    /// The last twenty characters of it, by which Claude Code remembers a key.
    case keyEnding = "{key-ending}"
}
