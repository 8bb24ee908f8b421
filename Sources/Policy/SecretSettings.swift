import Domain
import Egress

/// Reads `secrets:`. What has to do with forges that another file names is settled when all files are read, so the
/// header of an entry stays open until then.
extension ConfigurationLayer {
    /// An entry as it was written.
    struct SecretEntry {
        let file: String
        let line: Int
        let name: String
        let source: SecretSetting.Source
        let host: String
        let port: UInt16
        let header: String?
        let scheme: String?
        let user: String?
        let methods: [String]?
        let path: String?

        /// The binding, now that the forges are known.
        func setting(isForge: (HostName) -> Bool) throws(ConfigurationError) -> SecretSetting {
            do throws(EgressRefusal) {
                let slot = try slot(isForge)
                return SecretSetting(
                    name: name,
                    source: source,
                    binding: try SecretBinding(host: host, port: port, slot: slot, methods: methods, path: path)
                )
            } catch {
                throw ConfigurationError(
                    .badValue,
                    file: file,
                    line: line,
                    key: "secrets",
                    "the secret \(name): \(error.reason)",
                    hint: error.remedy ?? "Remove the entry."
                )
            }
        }

        private func slot(_ isForge: (HostName) -> Bool) throws(EgressRefusal) -> HeaderSlot {
            guard header != nil || scheme != nil else {
                // What is wrong with the host itself is said by the binding.
                guard let name = try? HostName(host) else { return try HeaderSlot(field: "authorization") }
                let usual = try HeaderSlot.usual(at: name, isForge: isForge(name))
                guard let user else { return usual }
                return try HeaderSlot(field: "authorization", scheme: .basic(user: user))
            }
            let user = user ?? (try? HostName(host)).map(HeaderSlot.forgeUser) ?? ""
            return try HeaderSlot(
                field: header ?? "authorization",
                scheme: scheme.map { $0 == "basic" ? .basic(user: user) : .bearer }
            )
        }
    }

    private static let secretHint = "Write entries such as {name: MODEL_KEY, host: api.example.com}."

    /// What `secrets:` of one file says.
    struct Secrets {
        var entries: [SecretEntry] = []
        var logins: [LoginName] = []
    }

    func readSecrets(_ value: YAMLValue) throws(ConfigurationError) -> Secrets {
        if value.isEmpty { return Secrets() }
        var secrets = Secrets()
        for item in try items(value, "secrets", hint: Self.secretHint) {
            if let login = try readLogin(item) {
                if !secrets.logins.contains(login) { secrets.logins.append(login) }
            } else {
                secrets.entries.append(try readSecret(item))
            }
        }
        return secrets
    }

    /// `{login: claude}`; nil for an entry of another kind.
    private func readLogin(_ item: YAMLValue) throws(ConfigurationError) -> LoginName? {
        let entries = try entries(of: item, key: "secrets")
        guard let entry = entries.first(where: { $0.key == "login" }) else { return nil }
        let key = "secrets.login"
        let names = LoginName.allCases.map(\.rawValue)
        let text = try scalar(entry, key, accepted: names.joined(separator: " or "))
        guard let login = LoginName(rawValue: text) else {
            let hint = "The logins are: \(names.joined(separator: ", "))."
            throw error(.badValue, entry.line, key, "there is no login \(quoted(text))", hint)
        }
        guard entries.count == 1 else {
            let hint = "Write {login: \(text)} and nothing else."
            throw error(.badValue, entry.line, key, "where a login goes and where it lies is known", hint)
        }
        return login
    }

    private func readSecret(_ item: YAMLValue) throws(ConfigurationError) -> SecretEntry {
        var texts: [String: String] = [:]
        var command: [String]?
        var methods: [String]?
        for entry in try entries(of: item, key: "secrets") {
            let key = "secrets." + entry.key
            try checkSecretKey(entry, key)
            switch entry.key {
            case "command": command = try words(entry, key)
            case "method":
                methods = try words(entry, key).flatMap { $0.split(separator: ",").map(String.init) }
            default: texts[entry.key] = try scalar(entry, key, accepted: "one word")
            }
        }
        for key in ["name", "host"] where texts[key] == nil {
            throw error(.badValue, item.line, "secrets", "a secret has no \(key)", Self.secretHint)
        }
        let name = texts["name"] ?? ""
        if let (problem, hint) = SecretName.problem(name) {
            throw error(.badValue, item.line, "secrets.name", "\(quoted(name)): \(problem)", hint)
        }
        return SecretEntry(
            file: fileLabel,
            line: item.line,
            name: name,
            source: try source(texts["file"], command, item.line),
            host: texts["host"] ?? "",
            port: try port(texts["port"], item.line),
            header: texts["header"],
            scheme: try scheme(texts, item.line),
            user: try user(texts, item.line),
            methods: methods,
            path: texts["path"]
        )
    }

    /// Refuses unknown keys, and those by which people write a secret itself into a configuration.
    private func checkSecretKey(_ entry: YAMLEntry, _ key: String) throws(ConfigurationError) {
        guard !["value", "secret", "token", "key", "password"].contains(entry.key) else {
            let hint = "Keep the value in a variable, in a file of mode 600 (file: PATH), or have a command print it."
            throw error(.badValue, entry.line, key, "no secret stands in a configuration", hint)
        }
        try checkKnown(entry, key, among: ConfigurationKey.secret)
    }

    private func words(_ entry: YAMLEntry, _ key: String) throws(ConfigurationError) -> [String] {
        if case .scalar(let text, _, _) = entry.value, !entry.value.isEmpty { return [text] }
        let words = try texts(entry.value, key).map(\.0)
        guard let first = words.first, !first.isEmpty else {
            throw error(.badValue, entry.line, key, "the list is empty", "Write words, or remove the key.")
        }
        guard !words.contains(where: { $0.utf8.contains(0) }) else {
            throw error(.badValue, entry.line, key, "a word holds a NUL", "Remove it.")
        }
        return words
    }

    private func source(
        _ file: String?,
        _ command: [String]?,
        _ line: Int
    ) throws(ConfigurationError) -> SecretSetting.Source {
        guard file == nil || command == nil else {
            let hint = "Keep one of them."
            throw error(.badValue, line, "secrets", "a secret has both a file and a command", hint)
        }
        if let command { return .command(command) }
        guard let file else { return .variable }
        guard !file.isEmpty, !file.utf8.contains(0), !file.hasPrefix("~") else {
            let hint = "Write the whole path, or one beside this file."
            throw error(.badValue, line, "secrets.file", "\(quoted(file)) is no path", hint)
        }
        return .file(file.hasPrefix("/") ? file : directory + file)
    }

    private func port(_ text: String?, _ line: Int) throws(ConfigurationError) -> UInt16 {
        guard let text else { return 443 }
        guard let port = CountText(text).flatMap({ UInt16(exactly: $0.value) }), port > 0 else {
            let hint = "Write a number from 1 to 65535."
            throw error(.badValue, line, "secrets.port", "\(quoted(text)) is no port", hint)
        }
        return port
    }

    private func scheme(_ texts: [String: String], _ line: Int) throws(ConfigurationError) -> String? {
        guard let scheme = texts["scheme"] else { return nil }
        guard ["bearer", "basic"].contains(scheme) else {
            let hint = "Write bearer or basic, or remove the key for a field that holds the secret alone."
            throw error(.badValue, line, "secrets.scheme", "there is no scheme \(quoted(scheme))", hint)
        }
        guard ["authorization", nil].contains(texts["header"]?.lowercased()) else {
            let hint = "Remove scheme, or header."
            throw error(.badValue, line, "secrets.scheme", "\(scheme) is a scheme of the header authorization", hint)
        }
        return scheme
    }

    private func user(_ texts: [String: String], _ line: Int) throws(ConfigurationError) -> String? {
        guard let user = texts["user"] else { return nil }
        guard texts["scheme"] != "bearer", ["authorization", nil].contains(texts["header"]?.lowercased()),
            texts["header"] == nil || texts["scheme"] == "basic"
        else {
            let hint = "Write scheme: basic with it, or remove it."
            throw error(.badValue, line, "secrets.user", "a user belongs to the scheme basic", hint)
        }
        let isPlain = user.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ":") }
        guard (1...64).contains(user.utf8.count), isPlain else {
            let hint = "Write up to 64 printable characters without a colon."
            throw error(.badValue, line, "secrets.user", "\(quoted(user)) is no user's name", hint)
        }
        return user
    }
}
