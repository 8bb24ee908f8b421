import Domain
package import Egress

/// What is refused of git and of forges whatever a rule for the whole host allows.
package struct ForgeRules: Sendable {
    /// The form in which the client shows a refusal.
    package enum Form: Sendable, Equatable {
        case plain
        /// The beginning of git's conversation about a push.
        case advertisement
    }

    /// What a request to a forge needs before it may pass.
    package enum Finding: Sendable, Equatable {
        case passes
        case refused(EgressRefusal, Form)
        /// The body says whether large files are fetched or stored, so it is read first.
        case needsBody
    }

    static let pushRemedy = "Pushing is a person's action: leave the commits, and say that they are ready to be pushed."

    /// - Parameters:
    ///   - isForge: whether the host is one.
    ///   - isListed: whether an entry covers the request that names both its method and a path.
    package static func judge(_ request: RequestHead, isForge: Bool, isListed: Bool) -> Finding {
        if let refusal = push(request, isForge: isForge) { return refusal }
        guard isForge else { return .passes }
        if let refusal = credentials(request) { return .refused(refusal, .plain) }
        if request.isWebSocket { return .refused(unlisted(request, "a WebSocket"), .plain) }
        if isListed { return .passes }
        switch request.method {
        case "GET", "HEAD":
            guard request.body == .none else { return .refused(unlisted(request, "a body with GET"), .plain) }
            return .passes
        case "POST":
            guard request.query.isEmpty, !request.path.contains("?"), (try? PathPrefix(request.path)) != nil,
                !request.fields.contains("content-encoding") || request.path.hasSuffix("/git-upload-pack")
            else { break }
            let type = request.fields.values("content-type")
            if request.path.hasSuffix("/git-upload-pack"), type == ["application/x-git-upload-pack-request"] {
                return .passes
            }
            if request.path.hasSuffix("/info/lfs/objects/batch"), type.count == 1,
                type[0].lowercased().hasPrefix("application/vnd.git-lfs+json")
            {
                return .needsBody
            }
        default: break
        }
        return .refused(unlisted(request, request.method), .plain)
    }

    /// The refusal of a push, in whatever spelling a server might read as one.
    private static func push(_ request: RequestHead, isForge: Bool) -> Finding? {
        let reads = request.method == "GET" || request.method == "HEAD"
        if reads, !request.path.utf8.contains(UInt8(ascii: "?")) { return nil }
        let path = plain(request.pathOnly)
        let query = plain(request.query)
        let asks = path.hasSuffix("/info/refs") || path.hasSuffix("/info/refs/")
        if !query.isEmpty, query.contains("git-receive-pack"), isForge || asks {
            return .refused(refusal(request), asks && request.method == "GET" ? .advertisement : .plain)
        }
        if reads { return nil }
        let type = request.fields.values("content-type").joined().lowercased()
        let names = path.split(separator: "/").contains { $0.hasPrefix("git-receive-pack") }
        if writesFiles(request.method, path) { return .refused(refusal(request), .plain) }
        if names || type.contains("git-receive-pack") || isForge && path.contains("receive-pack") {
            return .refused(refusal(request), .plain)
        }
        return nil
    }

    /// A push to a server that knows nothing of git: files of the repository are written by WebDAV.
    private static func writesFiles(_ method: String, _ path: String) -> Bool {
        guard ["PUT", "LOCK", "MOVE", "COPY", "MKCOL"].contains(method) else { return false }
        if path.hasSuffix("/info/refs") || path.contains("/refs/heads/") || path.contains("/refs/tags/") { return true }
        let parts = path.split(separator: "/")
        return zip(parts, parts.dropFirst()).contains { parent, name in
            parent == "objects" && name.utf8.count == 2 && name.allSatisfy(\.isHexDigit)
        }
    }

    private static func refusal(_ request: RequestHead) -> EgressRefusal {
        EgressRefusal(
            RuleID("git-push"),
            "nothing is pushed to \(request.target) from inside the sandbox",
            remedy: pushRemedy
        )
    }

    /// Secrets that stand in a URL end in logs and histories.
    private static func credentials(_ request: RequestHead) -> EgressRefusal? {
        let names = plain(request.query).split(separator: "&").map { $0.prefix { $0 != "=" } }
        let secret = names.first { secretNames.contains(String($0)) }
        guard let secret else { return nil }
        return EgressRefusal(
            RuleID("url-credentials"),
            "the query holds credentials: \(secret)",
            remedy: "Credentials never belong in a URL; send them in a header."
        )
    }

    private static let secretNames: Set<String> = [
        "access_token", "private_token", "oauth_token", "client_secret", "job_token", "password",
    ]

    private static func unlisted(_ request: RequestHead, _ what: String) -> EgressRefusal {
        EgressRefusal(
            RuleID("forge-write"),
            "\(request.target) is a forge, where fetching passes and \(what) does not",
            remedy: "An operator lists the method and a path: POST https://\(request.authority)/PATH."
        )
    }

    /// Lower case, with every escape undone as often as there are any.
    static func plain(_ text: String) -> String {
        unescaped(text).lowercased()
    }

    /// A text with every escape undone as often as there are any; what is not ASCII becomes a question mark.
    static func unescaped(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
        var bytes = Array(text.utf8)
        // Each round makes it shorter, so that there are not more rounds than bytes; more than a few are an attempt.
        for _ in 0..<8 {
            let next = unescaped(bytes)
            if next.count == bytes.count { break }
            bytes = next
        }
        // What is looked for is ASCII, and a mark that combines with the letter before it would hide that.
        return String(decoding: bytes.map { $0 < 0x80 ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }

    private static func unescaped(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let byte = HTTPSyntax.hexadecimal(bytes[(index + 1)...(index + 2)])
            {
                result.append(UInt8(byte))
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return result
    }
}
