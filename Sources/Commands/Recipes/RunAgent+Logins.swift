import BrokerLink
import Catalogue
import Domain
import Policy

/// The logins that an agent has outside.
extension RunAgent {
    /// All that is to be held outside beside what the operator and the command line bind: logins that the operator lets
    /// every command use, the agent's keys, and where it has none its own logins.
    ///
    /// - Parameter reader: knows what commands inside see.
    func held(_ logins: [LoginName], _ reader: SecretReader, console: Console) throws -> [SecretRequest] {
        let keys = try requests(reader.caller)
        let own = keys.isEmpty ? try self.logins(reader, console) : []
        let asked = try LoginPlace.requests(logins, caller: reader.caller, visible: reader.visible, console: console)
        return asked + keys + own
    }

    /// A login that cannot be used is said; the agent then runs without one.
    private func logins(_ reader: SecretReader, _ console: Console) throws -> [SecretRequest] {
        guard let recipe else { return [] }
        return try recipe.logins.compactMap { login in
            let form: HeldSecret.Form = login.kind == .claude ? .claudeLogin : .codexLogin
            let place = LoginPlace.of(form, caller: reader.caller, visible: reader.visible)
            let file: LoginFile?
            do throws(CommandError) {
                file = try place.read(caller: reader.caller)
            } catch {
                console.remark("warning: \(error.message). \(error.hint ?? "")")
                return nil
            }
            return try file.map { try place.request($0, origin: "the recipe \(recipe.name)") }
        }
    }
}
