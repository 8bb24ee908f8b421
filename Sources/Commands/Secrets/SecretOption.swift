import Domain
import Egress
import Policy

/// `--secret NAME=HOST[:PORT][:HEADER]`. It names a secret and never holds one: an argument can be seen by all.
enum SecretOption {
    static let name = "--secret"
    private static let form = "Write NAME=HOST, NAME=HOST:PORT or NAME=HOST:PORT:HEADER; the value comes from NAME."

    static func read(_ text: String, isForge: (HostName) -> Bool) throws(CommandError) -> SecretSetting {
        guard let equals = text.firstIndex(of: "=") else {
            throw refuse(name: text, "it names no host", form)
        }
        let name = String(text[..<equals])
        if let (problem, hint) = SecretName.problem(name) { throw refuse(name: name, problem, hint) }
        let parts = text[text.index(after: equals)...].split(separator: ":", omittingEmptySubsequences: false)
        guard let host = parts.first, !host.isEmpty, parts.count <= 3, !parts.contains(where: \.isEmpty) else {
            throw refuse(name: name, "what stands behind `=` is no host, port and header", form)
        }
        var rest = parts.dropFirst()
        var port: UInt16 = 443
        if let first = rest.first, first.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
            guard let number = UInt16(first), number > 0 else {
                throw refuse(name: name, "\(first.prefix(20)) is no port", "Write a number from 1 to 65535.")
            }
            port = number
            rest = rest.dropFirst()
        }
        guard rest.count <= 1 else { throw refuse(name: name, "it names two headers, or a port after one", form) }
        do throws(EgressRefusal) {
            let slot = try slot(rest.first, at: String(host), isForge)
            return SecretSetting(
                name: name,
                binding: try SecretBinding(host: String(host), port: port, slot: slot)
            )
        } catch {
            throw refuse(name: name, error.reason, error.remedy ?? form)
        }
    }

    private static func slot(
        _ header: Substring?,
        at host: String,
        _ isForge: (HostName) -> Bool
    ) throws(EgressRefusal) -> HeaderSlot {
        if let header { return try HeaderSlot(field: String(header)) }
        // What is wrong with the host itself is said by the binding.
        guard let name = try? HostName(host) else { return try HeaderSlot(field: "authorization") }
        return try HeaderSlot.usual(at: name, isForge: isForge(name))
    }

    /// Only the name is repeated: somebody may have put the secret itself behind it.
    private static func refuse(name: String, _ why: String, _ hint: String) -> CommandError {
        let isName = SecretName.problem(name) == nil
        let shown = isName ? " \(name)" : ""
        return CommandError(
            ExitStatus.usage,
            "read \(Self.name)\(shown): \(Printable.text(why))",
            hint: Printable.text(hint)
        )
    }
}
