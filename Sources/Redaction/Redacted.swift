/// Text that has been through a ``Redactor``: the only text that a journal, log or event stream accepts.
package struct Redacted: Sendable, Hashable {
    package let text: String

    fileprivate init(text: String) { self.text = text }

    /// A sentence from the source code, which holds no secret.
    package init(constant: StaticString) { text = constant.description }
}

/// Takes secrets out of text. Stub: to be filled in.
package struct Redactor: Sendable {
    package init() {}

    package func redact(_ text: String) -> Redacted { Redacted(text: text) }
}
