import BrokerLink
import Domain
import Files
import Glibc
import Policy

/// Reads the values of secrets, each into memory that is wiped. An error never shows a byte of one.
struct SecretReader {
    private static let longHint = "A key is one short line."
    private static let printHint = "Have it print the key and nothing else."
    /// What every command inside sees.
    private static let system = ["/usr", "/opt"]

    let caller: Caller
    let project: String
    /// What commands inside see beside the system and the project.
    let readable: [String]

    /// What commands inside could read.
    var visible: [String] { [project] + readable + Self.system }

    /// The value; nil where there is none: a variable that is not set, a file that is not there.
    func read(_ request: SecretRequest) throws(CommandError) -> SecretValue? {
        switch request.source {
        case .variable: return try readVariable(request)
        case .file(let path): return try readFile(path, request)
        case .command(let words):
            let command = SecretCommand(name: request.name, words: words, caller: caller, project: project)
            return try checked(try command.run(), request, "what \(Printable.text(words[0])) prints", fix: nil)
        }
    }

    private func readVariable(_ request: SecretRequest) throws(CommandError) -> SecretValue? {
        if let value = caller.environment[request.name] {
            let what = "the variable \(request.name)"
            guard value.utf8.count <= KeyFlaw.bytesMax else {
                throw refuse(request, "\(what) \(KeyFlaw.tooLong)", Self.longHint)
            }
            return try checked(copy(value, request), request, what, fix: "Export the key itself.")
        }
        guard let path = caller.environment[request.name + "_FILE"] else { return nil }
        guard path.hasPrefix("/") else {
            throw refuse(
                request,
                "\(request.name)_FILE does not name a file by its whole path",
                "Export \(request.name)_FILE=/PATH/TO/FILE."
            )
        }
        return try readFile(path, request)
    }

    private func copy(_ value: String, _ request: SecretRequest) throws(CommandError) -> SecretBuffer {
        var buffer = try memory(request)
        buffer.free.copyBytes(from: value.utf8)
        buffer.advance(value.utf8.count)
        return buffer
    }

    private func readFile(_ path: String, _ request: SecretRequest) throws(CommandError) -> SecretValue? {
        let shown = Printable.text(path)
        let file = PrivateFile(
            path: path,
            what: "the secret \(request.name)",
            caller: caller,
            visible: visible
        )
        guard let descriptor = try file.open() else { return nil }
        var buffer = try memory(request)
        if let problem = buffer.fill(from: descriptor.raw, bytesMax: KeyFlaw.bytesMax + 2) {
            throw refuse(request, "\(shown): \(problem)", "Put the key into it, and nothing else.")
        }
        return try checked(buffer, request, shown, fix: "Put the key into it, and nothing else.")
    }

    /// Room for one byte more than may be, and for a line end.
    func memory(_ request: SecretRequest) throws(CommandError) -> SecretBuffer {
        do throws(LinkError) { return try SecretBuffer(bytesMax: KeyFlaw.bytesMax + 4) } catch {
            throw CommandError(ExitStatus.failed, "read the secret \(request.name): \(error)")
        }
    }

    /// One line of printable ASCII: what can stand in a field of a request.
    private func checked(
        _ buffer: consuming SecretBuffer,
        _ request: SecretRequest,
        _ what: String,
        fix: String?
    ) throws(CommandError) -> SecretValue {
        var buffer = buffer
        if buffer.bytes.last == UInt8(ascii: "\n") { buffer.shorten(to: buffer.count - 1) }
        if buffer.bytes.last == UInt8(ascii: "\r") { buffer.shorten(to: buffer.count - 1) }
        if let flaw = KeyFlaw(of: buffer.bytes) {
            throw refuse(request, "\(what) \(flaw)", flaw == .tooLong ? Self.longHint : fix ?? Self.printHint)
        }
        do throws(LinkError) { return try SecretValue(buffer) } catch {
            throw CommandError(ExitStatus.failed, "read the secret \(request.name): \(error)")
        }
    }

    private func refuse(_ request: SecretRequest, _ problem: String, _ hint: String) -> CommandError {
        CommandError(ExitStatus.failed, "read the secret \(request.name): \(problem)", hint: hint)
    }
}
