import BrokerLink
import Domain
import Egress
import NIOCore

/// Knows the placeholders of a run in whatever a request says, and those of any other run by their form: one that
/// stands anywhere but in its own slot was taken from where it lay, and somebody should know.
final class PlaceholderWatch: Sendable {
    let needles: NeedleSet
    /// In lower case: names fold it.
    private let hostCores: [String]

    /// Nil for a run without secrets, which pays nothing.
    init?(_ secrets: [HeldSecret]) throws(SecretMemory.Failure) {
        guard !secrets.isEmpty else { return nil }
        let cores = secrets.flatMap { secret in
            let bytes = Array(secret.placeholder.text.utf8)
            return Placeholder.cores(in: bytes).map { Array(bytes[$0..<$0 + Placeholder.coreCount]) }
        }
        hostCores = PlaceholderNames.cores(of: secrets)
        let joined = cores.flatMap { $0 }
        let count = Placeholder.coreCount
        let made = joined.withUnsafeBytes { bytes in
            let texts = cores.indices.map { UnsafeRawBufferPointer(rebasing: bytes[$0 * count..<($0 + 1) * count]) }
            return Result { () throws(SecretMemory.Failure) in try NeedleSet(texts, seesPlaceholders: true) }
        }
        needles = try made.get()
    }

    /// Where a placeholder may stand: in these fields, alone.
    struct Slot {
        let fields: Set<String>
        let placeholder: String
    }

    /// What is wrong with a head; nil where nothing is.
    ///
    /// - Parameter slots: of the secrets that are bound to where the request goes.
    func refusal(of request: RequestHead, slots: [Slot]) -> EgressRefusal? {
        if names(host: request.target.host.description) { return refuse("the host's name", request) }
        if finds(request.method) || finds(request.path) { return refuse("the path or the query", request) }
        for field in request.fields.all where finds(field.name) || finds(field.value) {
            let key = field.hyphenated
            let lines = request.fields.all.count { $0.hyphenated == key }
            let isAlone = slots.contains { $0.fields.contains(key) && Self.isAlone($0.placeholder, in: field.value) }
            guard lines == 1, isAlone, !finds(field.name) else {
                return refuse("the field \(Printable.text(Array(field.key.utf8.prefix(64))))", request)
            }
        }
        return nil
    }

    /// What is wrong with the fields behind a body.
    func refusal(ofTrailers trailers: HTTPFields) -> EgressRefusal? {
        trailers.all.contains { finds($0.name) || finds($0.value) } ? refuse("a field behind the body", nil) : nil
    }

    func refusalOfBody() -> EgressRefusal { refuse("the body", nil) }

    private func names(host: String) -> Bool {
        PlaceholderNames.holds(host, hostCores) || needles.isIn(host)
    }

    private func finds(_ text: String) -> Bool {
        if needles.isIn(text) { return true }
        guard text.utf8.contains(UInt8(ascii: "%")) else { return false }
        return needles.isIn(ForgeRules.unescaped(text))
    }

    /// True for a placeholder as it stands in a field of credentials: by itself, behind the name of a scheme, or as one
    /// half of what Basic writes.
    private static func isAlone(_ placeholder: String, in value: String) -> Bool {
        if value == placeholder { return true }
        let words = value.split(separator: " ", maxSplits: 1)
        guard words.count == 2 else { return false }
        let rest = words[1].drop { $0 == " " }
        guard words[0].lowercased() == "basic" else { return rest == placeholder && isScheme(words[0]) }
        guard let bytes = Base64.decoded(rest.utf8), let text = String(validating: bytes, as: UTF8.self),
            let colon = text.firstIndex(of: ":")
        else { return false }
        let (user, password) = (text[..<colon], text[text.index(after: colon)...])
        return password == placeholder && !user.contains(placeholder)
            || user == placeholder && !password.contains(placeholder)
    }

    private static func isScheme(_ word: Substring) -> Bool { ["bearer", "token"].contains(word.lowercased()) }

    private func refuse(_ place: String, _ request: RequestHead?) -> EgressRefusal {
        let target = request.map { " to \($0.target)" } ?? ""
        return EgressRefusal(
            .credentialPlaceholder,
            "the placeholder of a secret stands in \(place) of a request\(target), where it does not belong",
            remedy: "Nothing allows it: the broker itself sets the secret, in the one field that it is bound to."
        )
    }
}
