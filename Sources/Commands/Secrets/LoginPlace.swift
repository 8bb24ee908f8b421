import BrokerLink
import Domain
import Egress
import Files
import Policy

/// Where an agent keeps its login, and which requests carry it.
struct LoginPlace: Sendable, Equatable {
    let form: HeldSecret.Form
    /// The file outside.
    let path: String
    /// Where the agent looks for it inside, below the home.
    let insidePath: String
    /// Places that commands inside see; a login that lies there is refused.
    let visible: [String]

    /// The login of an agent, by the agent's own variables and defaults. Whether anybody is logged in is not looked at.
    static func of(_ form: HeldSecret.Form, caller: Caller, visible: [String]) -> LoginPlace {
        func directory(_ variable: String, _ name: String) -> String {
            caller.environment[variable].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? caller.home + "/" + name
        }
        switch form {
        case .value: preconditionFailure("a value has no login")
        case .claudeLogin:
            return LoginPlace(
                form: form,
                path: directory("CLAUDE_CONFIG_DIR", ".claude") + "/.credentials.json",
                insidePath: ".claude/.credentials.json",
                visible: visible
            )
        case .codexLogin:
            return LoginPlace(
                form: form,
                path: directory("CODEX_HOME", ".codex") + "/auth.json",
                insidePath: ".codex/auth.json",
                visible: visible
            )
        }
    }

    /// The secrets of a run for the logins that the operator lets commands use. One that is not there is said.
    static func requests(
        _ logins: [LoginName],
        caller: Caller,
        visible: [String],
        console: Console
    ) throws -> [SecretRequest] {
        try logins.compactMap { login in
            let place = of(login == .claude ? .claudeLogin : .codexLogin, caller: caller, visible: visible)
            if let file = try place.read(caller: caller) { return try place.request(file, origin: "secrets") }
            console.remark(
                "warning: nobody is logged in there: \(Printable.text(place.path)); outside, \(place.form.logIn)"
            )
            return nil
        }
    }

    /// The name under which it is one of a run's secrets. It is the name of no variable, so none is set.
    var name: String { form.rawValue }

    /// The login as it is now; nil where there is no file, or nobody is logged in.
    ///
    /// - Throws: for a file that others can read, and such.
    func read(caller: Caller) throws(CommandError) -> LoginFile? {
        guard let bytes = try bytes(caller: caller) else { return nil }
        return try? LoginFile(bytes.bytes, form: form)
    }

    /// The file's content; nil where there is none.
    func bytes(caller: Caller) throws(CommandError) -> SecretBuffer? {
        let what = "the login \(name)"
        let place = PrivateFile(path: path, what: what, caller: caller, visible: visible)
        guard let file = try place.open() else { return nil }
        let shown = Printable.text(path)
        do throws(LinkError) {
            var buffer = try SecretBuffer(bytesMax: LoginFile.bytesMax + 1)
            guard let problem = buffer.fill(from: file.raw, bytesMax: LoginFile.bytesMax) else { return buffer }
            throw LinkError(problem)
        } catch {
            throw CommandError(
                ExitStatus.failed,
                "read \(what) from \(shown): \(error)",
                hint: "Log in again outside: \(form.logIn)."
            )
        }
    }

    /// A secret of the run: the requests that carry the login, and nothing else of the provider's.
    func request(_ file: LoginFile, origin: String) throws(EgressRefusal) -> SecretRequest {
        let slot = try HeaderSlot(field: "authorization")
        let bindings: [SecretBinding]
        switch form {
        case .codexLogin where file.isKey: bindings = [try SecretBinding(host: "api.openai.com", slot: slot)]
        case .codexLogin: bindings = try Self.bindings("chatgpt.com", slot, Self.codexPaths)
        case .claudeLogin, .value: bindings = try Self.bindings("api.anthropic.com", slot, Self.claudePaths)
        }
        return SecretRequest(name: name, source: .file(path), bindings: bindings, origin: origin, login: self)
    }

    /// A login is worth more than a key: elsewhere at the same hosts it makes keys (`create_api_key` of Claude Code),
    /// and reads the user's other conversations. So requests carry it where the agents need it, by the texts of Claude
    /// Code 2 and Codex 0.163, and nowhere else.
    private static let claudePaths: [(methods: [String]?, path: String)] = [
        (nil, "/v1/messages"), (["GET"], "/v1/models"), (["GET"], "/api/oauth/profile"), (["GET"], "/api/oauth/usage"),
        (["GET"], "/api/claude_code"),
    ]
    private static let codexPaths: [(methods: [String]?, path: String)] = [
        (nil, "/backend-api/codex"), (["GET"], "/backend-api/wham/usage"),
        // Which workspace the account is in, without which it asks nothing; its own settings; those of a company.
        (["GET"], "/backend-api/wham/accounts/check"), (["GET"], "/backend-api/wham/settings/user"),
        (["GET"], "/backend-api/wham/config/bundle"),
    ]

    private static func bindings(
        _ host: String,
        _ slot: HeaderSlot,
        _ places: [(methods: [String]?, path: String)]
    ) throws(EgressRefusal) -> [SecretBinding] {
        var bindings: [SecretBinding] = []
        for place in places {
            bindings.append(try SecretBinding(host: host, slot: slot, methods: place.methods, path: place.path))
        }
        return bindings
    }
}
