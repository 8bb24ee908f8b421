import Egress

/// What one file's `network:` section says; nil where it does not say it.
struct NetworkSettings: Equatable {
    var allow: [NetworkRule]?
    var upstreams: [Upstream]?
    var nat64: [NAT64Prefix]?
    var forges: Set<HostName>?
}

extension ConfigurationLayer {
    func readAllow(_ value: YAMLValue, _ path: String) throws(ConfigurationError) -> [NetworkRule] {
        var rules: [NetworkRule] = []
        for (text, line) in try texts(value, path) {
            do throws(EgressRefusal) { rules.append(try NetworkRule(text)) } catch { throw refused(error, line, path) }
        }
        return rules
    }

    func readForges(_ value: YAMLValue, _ path: String) throws(ConfigurationError) -> Set<HostName> {
        var forges: Set<HostName> = []
        for (text, line) in try texts(value, path) {
            do throws(EgressRefusal) { forges.insert(try HostName(text)) } catch { throw refused(error, line, path) }
        }
        return forges
    }

    func readNAT64(_ value: YAMLValue, _ path: String) throws(ConfigurationError) -> [NAT64Prefix] {
        var prefixes: [NAT64Prefix] = []
        for (text, line) in try texts(value, path) {
            guard let prefix = NAT64Prefix(text) else {
                let lengths = NAT64Prefix.lengths.map { "/\($0)" }.joined(separator: ", ")
                let hint = "Write an IPv6 prefix with one of \(lengths), with zeros behind it."
                throw error(.badValue, line, path, "\(quoted(text)) is no NAT64 prefix", hint)
            }
            prefixes.append(prefix)
        }
        return prefixes
    }

    func readUpstreams(_ value: YAMLValue, _ path: String) throws(ConfigurationError) -> [Upstream] {
        var upstreams: [Upstream] = []
        for item in try items(value, path, hint: Self.upstreamHint) {
            let upstream = try readUpstream(item, path)
            guard !upstreams.contains(where: { $0.name == upstream.name && $0.port == upstream.port }) else {
                let problem = "\(upstream.name):\(upstream.port) is listed twice"
                throw error(.badValue, item.line, path, problem, "An upstream has one fixed address: keep one of them.")
            }
            upstreams.append(upstream)
        }
        return upstreams
    }

    private static let upstreamHint =
        "Write entries such as {host: model.example.test, port: 443, address: \"127.0.0.1:8443\"}."

    private func readUpstream(_ item: YAMLValue, _ path: String) throws(ConfigurationError) -> Upstream {
        var texts: [String: String] = [:]
        for entry in try entries(of: item, key: path) {
            let key = path + "." + entry.key
            try checkKnown(entry, key, among: ConfigurationKey.upstream)
            texts[entry.key] = try scalar(entry, key, accepted: "one word")
        }
        for key in ["host", "port", "address"] where texts[key] == nil {
            throw error(.badValue, item.line, path, "an upstream has no \(key)", Self.upstreamHint)
        }
        guard let port = CountText(texts["port"] ?? "").flatMap({ UInt16(exactly: $0.value) }) else {
            let problem = "\(quoted(texts["port"] ?? "")) is no port"
            throw error(.badValue, item.line, path, problem, "Write a number from 1 to 65535.")
        }
        var ca: String?
        if let text = texts["ca"] { ca = try place(text, item.line, path) }
        do throws(EgressRefusal) {
            return try Upstream(
                host: texts["host"] ?? "",
                port: port,
                address: texts["address"] ?? "",
                ca: ca
            )
        } catch {
            throw refused(error, item.line, path)
        }
    }

    /// A file beside the configuration, or one by its whole path.
    private func place(_ text: String, _ line: Int, _ path: String) throws(ConfigurationError) -> String {
        guard !text.isEmpty, !text.utf8.contains(0) else {
            throw error(.badValue, line, path + ".ca", "it is no path", "Name a file with a certificate in PEM form.")
        }
        return text.hasPrefix("/") ? text : directory + text
    }

    private func refused(_ refusal: EgressRefusal, _ line: Int, _ path: String) -> ConfigurationError {
        error(.badValue, line, path, refusal.reason, refusal.remedy ?? "Remove the entry.")
    }
}
