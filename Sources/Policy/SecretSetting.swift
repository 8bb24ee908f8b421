package import Egress

/// One entry of `secrets:`: a name, where its value is found, and one place where it goes.
package struct SecretSetting: Sendable, Equatable {
    /// Where a value is found; nothing of it is in the configuration.
    package enum Source: Sendable, Hashable {
        /// The caller's variable of the secret's name, or the file that the variable NAME_FILE names.
        case variable
        /// A file by its whole path.
        case file(String)
        /// A program and its arguments, whose output it is.
        case command([String])
    }

    package let name: String
    package let source: Source
    package let binding: SecretBinding

    package init(name: String, source: Source = .variable, binding: SecretBinding) {
        self.name = name
        self.source = source
        self.binding = binding
    }
}

/// Agents whose login of a subscription can be used without being seen.
package enum LoginName: String, Sendable, CaseIterable {
    case claude, codex
}

/// Names that a secret can have: those of a variable which inside holds what stands for it.
package enum SecretName {
    private static let bytesMax = 128

    /// What is wrong with a name, and the fix; nil for a good one.
    package static func problem(_ name: String) -> (problem: String, hint: String)? {
        let isWord = name.utf8.allSatisfy { byte in
            byte == UInt8(ascii: "_") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        }
        guard (1...bytesMax).contains(name.utf8.count), isWord, name.first?.isNumber == false else {
            return ("it is no variable's name", "Write a name of letters, digits and _, such as API_KEY.")
        }
        guard !taken.contains(name.uppercased()), !prefixes.contains(where: name.uppercased().hasPrefix) else {
            return (
                "programs inside take \(name) for something else", "Give the secret a name of its own, such as API_KEY."
            )
        }
        return nil
    }

    /// Inside, these say where things are, how programs are loaded, or what the sandbox is.
    private static let taken: Set<String> = [
        "HOME", "PATH", "USER", "LOGNAME", "SHELL", "TMPDIR", "TERM", "PWD", "OLDPWD", "IFS", "ENV", "BASH_ENV", "LANG",
        "LANGUAGE", "TZ", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
        "NODE_OPTIONS", "NODE_EXTRA_CA_CERTS", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME", "RUBYOPT", "PERL5OPT",
        "JAVA_TOOL_OPTIONS",
    ]
    private static let prefixes = ["LD_", "BAILEY_", "DYLD_", "LC_", "GIT_CONFIG"]
}
