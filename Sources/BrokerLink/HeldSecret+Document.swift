import Domain
import Egress

/// Secrets' places as JSON, on their way to the broker. No value is among them.
extension HeldSecret {
    var json: JSONValue {
        .object([
            ("name", .string(name)), ("placeholder", .string(placeholder.text)), ("form", .string(form.rawValue)),
            ("bindings", .array(bindings.map(\.json))),
        ])
    }

    /// Nil for what is no such object.
    init?(_ value: JSONValue) {
        guard let name = value["name"]?.stringValue,
            let placeholder = Placeholder(value["placeholder"]?.stringValue ?? ""),
            let form = Form(rawValue: value["form"]?.stringValue ?? ""),
            let items = value["bindings"]?.arrayValue
        else { return nil }
        let bindings = items.compactMap { SecretBinding($0) }
        guard bindings.count == items.count else { return nil }
        self.init(name: name, placeholder: placeholder, form: form, bindings: bindings)
    }
}

extension SecretBinding {
    fileprivate var json: JSONValue {
        let user: JSONValue = if case .basic(let user) = slot.scheme { .string(user) } else { .null }
        return .object([
            ("host", .string(host.text)), ("port", .unsigned(UInt64(port))), ("field", .string(slot.field)),
            ("bearer", .bool(slot.scheme == .bearer)), ("user", user),
            ("methods", scope.methods.map { .array($0.sorted().map { .string($0) }) } ?? .null),
            ("path", scope.prefix.map { .string($0.text) } ?? .null),
        ])
    }

    fileprivate init?(_ value: JSONValue) {
        guard let host = value["host"]?.stringValue, let field = value["field"]?.stringValue,
            let port = value["port"]?.unsignedValue.flatMap({ UInt16(exactly: $0) })
        else { return nil }
        let scheme: HeaderSlot.Scheme =
            if let user = value["user"]?.stringValue {
                .basic(user: user)
            } else if value["bearer"] == .bool(true) {
                .bearer
            } else {
                .plain
            }
        let methods = value["methods"]?.arrayValue.map { $0.compactMap(\.stringValue) }
        guard let slot = try? HeaderSlot(field: field, scheme: scheme),
            let binding = try? SecretBinding(
                host: host,
                port: port,
                slot: slot,
                methods: methods,
                path: value["path"]?.stringValue
            )
        else { return nil }
        self = binding
    }
}
