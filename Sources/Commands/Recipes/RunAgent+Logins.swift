import BrokerLink
import Catalogue
import Domain
import Policy

/// The logins that an agent has outside.
extension RunAgent {
    /// All that is to be held outside beside what the operator and the command line bind: logins that the operator lets
    /// every command use, the agent's keys, and where it has none its own logins.
    func held(_ logins: [LoginName], caller: Caller, console: Console) throws -> [SecretRequest] {
        let keys = try requests(caller)
        let own = keys.isEmpty ? try self.logins(caller, console) : []
        return try LoginPlace.requests(logins, caller: caller, console: console) + keys + own
    }

    /// A login that cannot be used is said; the agent then runs without one.
    private func logins(_ caller: Caller, _ console: Console) throws -> [SecretRequest] {
        guard let recipe else { return [] }
        return try recipe.logins.compactMap { login in
            let place = LoginPlace.of(login.kind == .claude ? .claudeLogin : .codexLogin, caller: caller)
            let file: LoginFile?
            do throws(CommandError) {
                file = try place.read(caller: caller)
            } catch {
                console.remark("warning: \(error.message). \(error.hint ?? "")")
                return nil
            }
            return try file.map { try place.request($0, origin: "the recipe \(recipe.name)") }
        }
    }
}
