package import Egress

/// One request as it will be passed on: what holds from one end to the other, and nothing of the single connection.
package struct RequestHead: Hashable, Sendable {
    package var method: String
    package var scheme: WebAddress.Scheme
    package var target: ConnectTarget
    /// Path and query, as written.
    package var path: String
    /// Without `Host`, which is written from the target.
    package var fields: HTTPFields
    package var body: BodyLength
    /// How the answer must be written for the client that asked.
    package var reply = Reply()
    /// Wants to become a WebSocket.
    package var isWebSocket = false

    package struct Reply: Hashable, Sendable {
        /// HTTP/1.0: no chunks.
        package var isOld = false
        /// The client ends the connection afterwards.
        package var isLast = false

        package init() {}
    }

    package init(
        method: String,
        scheme: WebAddress.Scheme,
        target: ConnectTarget,
        path: String,
        fields: HTTPFields,
        body: BodyLength
    ) {
        self.method = method
        self.scheme = scheme
        self.target = target
        self.path = path
        self.fields = fields
        self.body = body
    }

    /// The path without the query.
    package var pathOnly: String { path.utf8.firstIndex(of: Self.questionMark).map { String(path[..<$0]) } ?? path }

    /// What stands behind the question mark; empty without one.
    package var query: String {
        path.utf8.firstIndex(of: Self.questionMark).map { String(path[path.utf8.index(after: $0)...]) } ?? ""
    }

    private static let questionMark = UInt8(ascii: "?")

    /// `Host` or `:authority`, in its one spelling.
    package var authority: String {
        target.port == (scheme == .https ? 443 : 80) ? target.host.description : target.description
    }

    /// The request as rules see it.
    package func webRequest() throws(EgressRefusal) -> WebRequest {
        try WebRequest(method: method, WebAddress(scheme: scheme, target: target, path: pathOnly))
    }
}

/// How a connection's requests are read: what it was asked for, and through which door.
package struct RequestReading: Sendable {
    /// What the connection is for; requests in absolute form at the proxy name their own.
    let target: ConnectTarget
    let isTLS: Bool
    /// Requests in absolute form may come, each for a host of its own.
    let isProxy: Bool
    /// What requests name as their host where that is a gateway, by which they come in clear and go on over TLS.
    let gateway: ConnectTarget?
    /// The host as most clients write it, which need not be read each time.
    private let authority: String

    package init(target: ConnectTarget, isTLS: Bool, isProxy: Bool, gateway: ConnectTarget? = nil) {
        self.target = target
        self.isTLS = isTLS
        self.isProxy = isProxy
        self.gateway = gateway
        let named = gateway ?? target
        authority = named.port == (isTLS ? 443 : 80) ? named.host.description : named.description
    }

    private var scheme: WebAddress.Scheme { isTLS || gateway != nil ? .https : .http }

    /// Reads a head of HTTP/1.
    package func read(_ head: HTTP1Head) throws(HTTPRefusal) -> RequestHead {
        guard case .request(let method, let text) = head.line else {
            throw HTTPRefusal(400, "http-syntax", "an answer stands where a request belongs")
        }
        try check(method)
        let hosts = head.fields.values("host")
        guard hosts.count == 1, let host = hosts.first else {
            throw HTTPRefusal(400, "http-host", "a request names its host once, and this one \(hosts.count) times")
        }
        var request: RequestHead
        if text.hasPrefix("/") {
            request = RequestHead(
                method: method,
                scheme: scheme,
                target: target,
                path: try path(text),
                fields: head.fields,
                body: head.body
            )
        } else {
            request = try absolute(text, method, head)
        }
        try agree(host, request.target, "the Host field")
        request.reply.isOld = head.minorVersion == 0
        request.reply.isLast = head.minorVersion == 0 || head.fields.members("connection").contains("close")
        try Connection.cleanse(&request, isTLS: isTLS)
        return request
    }

    /// Reads a head of HTTP/2, whose names and values were checked when its block was decoded.
    package func read(
        pseudo: [String: String],
        fields: HTTPFields,
        isEnd: Bool
    ) throws(HTTPRefusal) -> RequestHead {
        guard let method = pseudo[":method"], let text = pseudo[":path"], pseudo[":scheme"] == scheme.rawValue else {
            throw HTTPRefusal(400, "http-syntax", "a request has a method, a path and the scheme of its connection")
        }
        try check(method)
        guard method.utf8.count <= 32, HTTPSyntax.isToken(method.utf8), text.hasPrefix("/") else {
            throw HTTPRefusal(400, "http-syntax", "the method is no token, or the path begins with no slash")
        }
        let hosts = fields.values("host") + (pseudo[":authority"].map { [$0] } ?? [])
        guard !hosts.isEmpty else { throw HTTPRefusal(400, "http-host", "the request names no host") }
        for host in hosts { try agree(host, target, "the authority") }
        let lengths = fields.values("content-length")
        guard lengths.count < 2, lengths.allSatisfy({ HTTPSyntax.decimal($0.utf8) != nil }) else {
            throw HTTPRefusal(400, "http-framing", "the body's length is no single decimal number")
        }
        let length = lengths.first.flatMap { HTTPSyntax.decimal($0.utf8) }
        var request = RequestHead(
            method: method,
            scheme: scheme,
            target: target,
            path: try path(text),
            fields: fields,
            body: isEnd ? .none : length.map { $0 == 0 ? .none : .bytes($0) } ?? .open
        )
        for field in fields.all where !HTTPSyntax.isToken(field.name.utf8) {
            throw HTTPRefusal(400, "http-syntax", "a field's name is no token")
        }
        try Connection.cleanse(&request, isTLS: isTLS)
        return request
    }

    private func absolute(_ text: String, _ method: String, _ head: HTTP1Head) throws(HTTPRefusal) -> RequestHead {
        guard isProxy, !isTLS else {
            throw HTTPRefusal(400, "http-target", "a request on this connection begins with a slash")
        }
        let address: WebAddress
        do { address = try WebAddress(Array(text.utf8)) } catch {
            throw HTTPRefusal(403, "http-target", error.reason)
        }
        guard address.scheme == .http else {
            throw HTTPRefusal(400, "http-target", "an https URL is reached by CONNECT")
        }
        let bytes = Array(text.utf8)
        // `http://` is behind us, so that the first of these ends the authority.
        let rest = bytes[7...]
        let start = rest.firstIndex { Array("/?".utf8).contains($0) }
        let tail = start.map { String(decoding: rest[$0...], as: UTF8.self) } ?? "/"
        return RequestHead(
            method: method,
            scheme: .http,
            target: address.target,
            path: try path(tail.hasPrefix("/") ? tail : "/" + tail),
            fields: head.fields,
            body: head.body
        )
    }

    private func path(_ text: String) throws(HTTPRefusal) -> String {
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }) else {
            throw HTTPRefusal(400, "http-target", "the path holds `#` or what is not printable ASCII")
        }
        return text
    }

    private func check(_ method: String) throws(HTTPRefusal) {
        guard !["CONNECT", "TRACE", "TRACK", "PRI"].contains(method.uppercased()) else {
            throw HTTPRefusal(405, "http-method", "\(method) is never passed on: it leads past what reads requests")
        }
    }

    /// Throws unless a host that a request names is the one it goes to.
    private func agree(_ text: String, _ target: ConnectTarget, _ place: String) throws(HTTPRefusal) {
        if text.utf8.elementsEqual(authority.utf8), gateway != nil || target == self.target { return }
        let host: (Host, UInt16?)
        do { host = try ConnectTarget.split(Array(text.utf8)) } catch {
            throw HTTPRefusal(400, "http-host", "\(place) is no host: \(error.reason)")
        }
        let target = gateway ?? target
        guard host.0 == target.host, (host.1 ?? (isTLS ? 443 : 80)) == target.port else {
            throw HTTPRefusal(421, "http-host", "\(place) says \(host.0), and the request goes to \(target)")
        }
    }
}

/// What belongs to one connection and not to the message.
enum Connection {
    private static let own: FieldNames = [
        "connection", "keep-alive", "proxy-connection", "proxy-authorization", "proxy-authenticate",
        "proxy-authentication-info", "transfer-encoding", "upgrade", "te", "http2-settings", "content-length", "host",
        "alt-svc", "alt-used",
    ]
    /// What a client may name as belonging to its connection.
    private static let nameable: Set<String> = [
        "close", "keep-alive", "upgrade", "te", "http2-settings", "proxy-connection", "transfer-encoding", "trailer",
        "proxy-authorization",
    ]
    /// Fields by which some servers take another method or another path than the request's.
    static let overriding: FieldNames = [
        "x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-rewrite-url",
        "x-original-method", "x-override-url",
    ]

    /// Takes out of a request what belongs to its connection, and keeps of it what is passed on in a form of its own.
    static func cleanse(_ request: inout RequestHead, isTLS: Bool) throws(HTTPRefusal) {
        let named = request.fields.members("connection")
        if let other = named.first(where: { !nameable.contains($0) }) {
            throw HTTPRefusal(
                400,
                "http-connection",
                "the Connection field names \(EgressRefusal.quoted(other.utf8)), which belongs to the whole way"
            )
        }
        if let field = request.fields.all.first(where: { overriding.contains($0.hyphenated) }) {
            throw HTTPRefusal(403, "http-override", "the field \(field.key) asks for another method or path")
        }
        if let expectation = request.fields.values("expect").first(where: { $0.lowercased() != "100-continue" }) {
            throw HTTPRefusal(417, "http-expect", "\(EgressRefusal.quoted(expectation.utf8)) cannot be expected")
        }
        let upgrades = request.fields.members("upgrade")
        if named.contains("upgrade") || !upgrades.isEmpty { try upgrade(&request, upgrades, isTLS: isTLS) }
        let takesTrailers = request.fields.members("te").contains("trailers")
        request.fields.remove(own)
        // What becomes a WebSocket has no trailers.
        if takesTrailers, !request.isWebSocket { request.fields.append("te", "trailers") }
    }

    private static func upgrade(
        _ request: inout RequestHead,
        _ upgrades: [String],
        isTLS: Bool
    ) throws(HTTPRefusal) {
        // In clear, some clients offer HTTP/2 with every first request. The offer is not passed on.
        if upgrades == ["h2c"], !isTLS { return }
        guard upgrades == ["websocket"] else {
            throw HTTPRefusal(403, "http-upgrade", "the connection may become a WebSocket and nothing else")
        }
        let isWhole =
            request.method == "GET" && request.body == .none && !request.reply.isOld
            && request.fields.members("connection").contains("upgrade")
            && request.fields.values("sec-websocket-key").count == 1
            && request.fields.values("sec-websocket-version") == ["13"]
        guard isWhole else { throw HTTPRefusal(400, "http-upgrade", "the request for a WebSocket is not whole") }
        request.isWebSocket = true
    }

    /// The fields of an answer that go on to the client.
    static func cleansed(_ fields: HTTPFields) -> HTTPFields {
        let named = fields.members("connection")
        let length = fields.values("content-length")
        var kept = HTTPFields()
        kept.reserve(fields.all.count)
        for field in fields.all where !own.contains(field.key) && !named.contains(field.key) { kept.append(field) }
        if length.count == 1 { kept.append("Content-Length", length[0]) }
        return kept
    }
}
