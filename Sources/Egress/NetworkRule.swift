import Domain

/// One entry of `network: allow`: a name or all names below one, a port, and where it says so methods and a path.
package struct NetworkRule: Hashable, Sendable, CustomStringConvertible {
    /// Which names.
    package enum Names: Hashable, Sendable {
        case exactly(HostName)
        /// `*.NAME`: every name below it, over any number of labels, and not the name itself.
        case below(HostName)
    }

    package let names: Names
    package let port: UInt16
    /// Nil for every method.
    package let methods: Set<String>?
    /// Nil where the whole host is meant. With one, or with methods, requests must be seen to be judged.
    package let prefix: PathPrefix?
    /// Set where the entry is a URL.
    package let scheme: WebAddress.Scheme?
    /// As the operator wrote it.
    package let text: String

    package static let bytesMax = 1024
    static let methodsMax = 16
    static let methodBytesMax = 32

    /// Reads `NAME`, `*.NAME`, either with `:PORT` (443 without one), or `[METHOD,…] URL-PREFIX`.
    package init(_ text: String) throws(EgressRefusal) {
        guard text.utf8.count <= Self.bytesMax else {
            throw Self.refuse(text, "it has \(text.utf8.count) bytes, and at most \(Self.bytesMax) are read")
        }
        self.text = text
        let words = Array(text.utf8).split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        if words.count == 2 {
            methods = try Self.methods(words[0], text)
            (names, port, prefix, scheme) = try Self.web(words[1], text)
        } else if words.count == 1, text.contains("://") {
            methods = nil
            (names, port, prefix, scheme) = try Self.web(words[0], text)
        } else {
            guard words.count == 1 else { throw Self.refuse(text, "it has more than two words") }
            (names, port) = try Self.names(words[0], text)
            (methods, prefix, scheme) = (nil, nil, nil)
        }
    }

    /// True if requests must be seen to be judged.
    package var needsRequest: Bool { methods != nil || prefix != nil }

    package func covers(_ name: HostName) -> Bool {
        switch names {
        case .exactly(let exact): exact == name
        case .below(let domain): name.isBelow(domain)
        }
    }

    /// True if the entry covers a request; a scheme, methods and a path only where it names them.
    func covers(_ request: WebRequest) -> Bool {
        guard scheme == nil || scheme == request.address.scheme else { return false }
        guard methods?.contains(request.method) ?? true else { return false }
        return prefix?.covers(request.address.path) ?? true
    }

    package var description: String { text }

    private static func methods(_ word: ArraySlice<UInt8>, _ text: String) throws(EgressRefusal) -> Set<String> {
        let words = word.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard words.count <= methodsMax else { throw refuse(text, "it names more than \(methodsMax) methods") }
        var methods: Set<String> = []
        for word in words {
            guard (1...methodBytesMax).contains(word.count), word.allSatisfy(WebRequest.isMethodByte) else {
                throw refuse(text, "\(EgressRefusal.quoted(word)) is no method; those are upper-case words")
            }
            methods.insert(String(decoding: word, as: UTF8.self))
        }
        return methods
    }

    private static func web(
        _ word: ArraySlice<UInt8>,
        _ text: String
    ) throws(EgressRefusal) -> (Names, UInt16, PathPrefix?, WebAddress.Scheme?) {
        guard !word.contains(UInt8(ascii: "?")), !word.contains(UInt8(ascii: "#")) else {
            throw refuse(text, "a URL prefix has no query and no fragment")
        }
        let address = try WebAddress(word)
        guard case .name(let name) = address.target.host else { throw addressRefused(text) }
        let prefix = address.path == "/" ? nil : try PathPrefix(address.path)
        return (.exactly(try publicName(name)), address.target.port, prefix, address.scheme)
    }

    private static func names(_ word: ArraySlice<UInt8>, _ text: String) throws(EgressRefusal) -> (Names, UInt16) {
        let isWildcard = word.starts(with: "*.".utf8)
        let (host, port) = try ConnectTarget.split(isWildcard ? word.dropFirst(2) : word)
        guard case .name(let name) = host else { throw addressRefused(text) }
        let checked = try publicName(name)
        return (isWildcard ? .below(checked) : .exactly(checked), port ?? 443)
    }

    /// A wildcard over a top-level domain is refused with it: a single label is no public name.
    private static func publicName(_ name: HostName) throws(EgressRefusal) -> HostName {
        if let refusal = InternalNames.refusal(of: name) { throw refusal }
        return name
    }

    private static func addressRefused(_ text: String) -> EgressRefusal {
        EgressRefusal(
            RuleID("rule-address"),
            "the entry \(EgressRefusal.quoted(text.utf8)) names an address, and entries are names",
            remedy: "Write a name; an operator reaches a single address by a declared upstream."
        )
    }

    private static func refuse(_ text: String, _ problem: String) -> EgressRefusal {
        EgressRefusal(
            RuleID("rule-syntax"),
            "the entry \(EgressRefusal.quoted(text.utf8)) is not understood: \(problem)",
            remedy: "Write NAME, *.NAME, NAME:PORT, or METHOD,METHOD URL-PREFIX."
        )
    }
}

/// One request as far as rules look at it.
package struct WebRequest: Hashable, Sendable {
    package let method: String
    package let address: WebAddress

    /// - Parameter method: an upper-case word such as `GET`.
    package init(method: String = "GET", _ address: WebAddress) throws(EgressRefusal) {
        guard (1...NetworkRule.methodBytesMax).contains(method.utf8.count), method.utf8.allSatisfy(Self.isMethodByte)
        else {
            throw EgressRefusal(
                RuleID("method-syntax"),
                "\(EgressRefusal.quoted(method.utf8)) is no request method",
                remedy: "Methods are upper-case words such as GET."
            )
        }
        self.method = method
        self.address = address
    }

    static func isMethodByte(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || byte == UInt8(ascii: "-")
    }
}
