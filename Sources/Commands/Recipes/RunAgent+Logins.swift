import BrokerLink
import Catalogue
import Policy

/// The logins that an agent has outside.
extension RunAgent {
    /// All that is to be held outside beside what the operator and the command line bind: logins that the operator lets
    /// every command use, and the agent's own keys and logins.
    func held(_ logins: [LoginName], caller: Caller, console: Console) throws -> [SecretRequest] {
        try LoginPlace.requests(logins, caller: caller, console: console) + requests(caller) + self.logins(caller)
    }

    /// What is to be held for them. Where a key is bound to the same host, that is used; where nobody is logged in,
    /// there is none.
    private func logins(_ caller: Caller) throws -> [SecretRequest] {
        guard let recipe else { return [] }
        return try recipe.logins.compactMap { login in
            let place = LoginPlace.of(login.kind == .claude ? .claudeLogin : .codexLogin, caller: caller)
            return try place.read(caller: caller).map { try place.request($0, origin: "the recipe \(recipe.name)") }
        }
    }
}
