import BrokerLink
import Domain
import Egress
import Policy

/// The secrets of one run: what the broker is to hold, and what stands for it inside. The values themselves wait in
/// sealed memory until the broker has them.
final class RunSecrets {
    /// As the broker is told, in this order.
    let held: [HeldSecret]
    /// Secrets without a value here.
    let missing: [SecretRequest]
    /// The logins among them, by their places.
    private(set) var logins: [UInt16: LoginPlace] = [:]
    /// What lies in the home inside in place of the logins' files.
    private(set) var loginFiles: [(path: String, content: String)] = []
    private var values: [UInt16: SecretValue] = [:]

    /// About as long as keys are.
    private static let usualLength = 64

    /// Reads the values. Whatever is wrong with one ends the run before it begins; one that is not there only fails
    /// the requests that need it.
    init(_ plan: SecretPlan, _ reader: SecretReader) throws(CommandError) {
        var held: [HeldSecret] = []
        var missing: [SecretRequest] = []
        var random = SystemRandomNumberGenerator()
        for request in plan.requests {
            if let login = request.login {
                guard let read = try Self.read(login, reader.caller, &random) else { continue }
                let place = UInt16(held.count)
                values[place] = read.value
                logins[place] = login
                loginFiles.append((login.insidePath, String(decoding: read.standIn, as: UTF8.self)))
                held.append(
                    HeldSecret(
                        name: request.name,
                        placeholder: read.placeholder,
                        form: login.form,
                        bindings: request.bindings
                    )
                )
                continue
            }
            let value = try reader.read(request)
            if let value { values[UInt16(held.count)] = value } else { missing.append(request) }
            let placeholder = Placeholder(
                prefix: value?.prefix ?? "",
                length: value?.bytesCount ?? Self.usualLength,
                random: &random
            )
            held.append(HeldSecret(name: request.name, placeholder: placeholder, bindings: request.bindings))
            Caller.forget(request.name)
        }
        self.held = held
        self.missing = missing
    }

    private struct Login {
        let value: SecretValue
        let placeholder: Placeholder
        let standIn: [UInt8]
    }

    /// A login as it is now; nil where somebody logged out meanwhile.
    private static func read(
        _ place: LoginPlace,
        _ caller: Caller,
        _ random: inout some RandomNumberGenerator
    ) throws(CommandError) -> Login? {
        guard let bytes = try place.bytes(caller: caller),
            let file = try? LoginFile(bytes.bytes, form: place.form)
        else { return nil }
        let now = SystemTime().unixMilliseconds()
        let (standIn, placeholder) = file.standIn(unixMilliseconds: now, random: &random)
        do throws(LinkError) {
            return Login(value: try SecretValue(bytes), placeholder: placeholder, standIn: standIn)
        } catch {
            throw CommandError(ExitStatus.failed, "read the login \(place.name): \(error)")
        }
    }

    /// What lets the run reach the hosts that its secrets are bound to.
    var entries: [NetworkRule] { held.flatMap(\.bindings).map(\.scope) }

    /// What stands for the secrets inside.
    var variables: [EnvironmentVariable] {
        held.filter { $0.form == .value }.map { EnvironmentVariable(name: $0.name, value: $0.placeholder.text) }
    }

    /// The values that wait, by their places, in sealed memory that stays ours to close.
    var memory: [(place: UInt16, memory: Int32)] {
        values.sorted { $0.key < $1.key }.map { ($0.key, $0.value.memory) }
    }

    /// The command runs, and with it the broker: nobody else needs the values.
    func release() { values = [:] }

    /// Says once what will fail.
    func remark(_ console: Console) {
        for request in missing { console.remark(Self.sentence(request)) }
    }

    private static func sentence(_ request: SecretRequest) -> String {
        let why =
            switch request.source {
            case .variable: "neither \(request.name) nor \(request.name)_FILE is set"
            case .file(let path): "there is no file \(Printable.text(path))"
            case .command(let words): "\(Printable.text(words[0])) printed nothing"
            }
        return "warning: the secret \(request.name) has no value here (\(why)); requests that need it fail"
    }
}
