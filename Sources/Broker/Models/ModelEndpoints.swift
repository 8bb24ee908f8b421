package import Egress

/// What a request to a provider of models is, by its method and path.
package enum ModelEndpoint: Equatable, Sendable {
    /// Billed by its tokens, and metered.
    case billed(ModelDialect)
    /// Reads the body as a request to a model does, and costs nothing.
    case free
    /// May be billed, and nothing says how much.
    case unmetered
    /// An endpoint in a spelling that some server reads as it.
    case misspelled(String)
    /// A WebSocket, in which requests are not seen.
    case socket
    /// Nothing to do with models.
    case other

    /// What is asked of an endpoint beside its own use, and how it is billed.
    private static let tails: [(tail: String, dialect: ModelDialect, isBilled: Bool)] = [
        ("/count_tokens", .messages, false), ("/compact", .responses, true), ("/input_tokens", .responses, false),
    ]

    package init(_ request: RequestHead, at provider: ModelProvider) {
        let path = request.pathOnly
        if request.isWebSocket {
            self = .socket
        } else if ["GET", "HEAD", "OPTIONS", "DELETE"].contains(request.method) {
            self = .other
        } else if let known = Self.known(path, provider), request.method == "POST" {
            self = known
        } else if let meant = Self.meant(path, provider) {
            self = .misspelled(meant)
        } else {
            self = .unmetered
        }
    }

    private static func known(_ path: String, _ provider: ModelProvider) -> ModelEndpoint? {
        for endpoint in provider.endpoints {
            if path == endpoint.path { return .billed(endpoint.dialect) }
            for other in tails where other.dialect == endpoint.dialect && path == endpoint.path + other.tail {
                return other.isBilled ? .billed(other.dialect) : .free
            }
        }
        return nil
    }

    /// The endpoint that a path might be taken for.
    private static func meant(_ path: String, _ provider: ModelProvider) -> String? {
        let plain = segments(path)
        let paths = provider.endpoints.flatMap { endpoint in
            [endpoint.path] + tails.filter { $0.dialect == endpoint.dialect }.map { endpoint.path + $0.tail }
        }
        return paths.first { segments($0) == plain }
    }

    /// A path as the most lenient reader takes it: escapes undone, case folded, dots resolved, empty segments and what
    /// follows a semicolon left out.
    private static func segments(_ path: String) -> [Substring] {
        var kept: [Substring] = []
        let plain = ForgeRules.plain(path).replacing("\\", with: "/")
        for segment in plain.split(separator: "/") {
            let word = segment.prefix { $0 != ";" && $0 != "?" && $0 != "#" }
            switch word {
            case "", ".": continue
            case "..": _ = kept.popLast()
            default: kept.append(word)
            }
        }
        return kept
    }
}
