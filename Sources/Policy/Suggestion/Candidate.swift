import Domain
import Egress

/// An entry of `network: allow` that would have allowed what was refused.
struct Candidate {
    enum Reach: Hashable {
        /// A whole host on a port. True where only its name was asked for, so that the port is a guess.
        case host(isGuess: Bool)
        /// Requests to one path and what lies below it. No methods for a WebSocket.
        case requests(scheme: WebAddress.Scheme, path: String)
    }

    let target: ConnectTarget
    let name: HostName
    let reach: Reach
    private(set) var methods: Set<String>
    /// A forge's interfaces are written to only by an entry with a method and a path.
    private(set) var writesToForge: Bool
    private(set) var accesses: [RefusedAccess] = []

    /// Rules that an entry lifts.
    private static let liftable: Set<String> = [
        "network-unlisted", "network-port", "network-request", "network-websocket", "forge-write", "client-pins",
    ]
    /// Where a name is looked up, and what is recorded of a request has no more bytes than this.
    private static let recordedBytes = 512
    private static let redacted = "********"

    init(_ access: RefusedAccess, isForge: (HostName) -> Bool) throws(EgressRefusal) {
        guard Self.liftable.contains(access.rule) else { throw Self.never(access) }
        let text: String
        let port: UInt16
        switch access.what {
        case .name(let host): (text, port) = (host, 443)
        case .connection(let host, let number): (text, port) = (host, number)
        case .request(_, let host, let number, _): (text, port) = (host, number)
        case .execution, .other: throw Self.never(access)
        }
        guard case .name(let name) = try Host(Array(text.utf8)) else {
            throw Self.refusal("entries are names: ask for it by the name of the service, which is then recorded")
        }
        // The same check that an entry passes: names that mean something only in a network or a machine are refused.
        _ = try NetworkRule("\(name):\(port)")
        self.name = name
        target = ConnectTarget(host: .name(name), port: port)
        writesToForge = access.rule == "forge-write"
        if access.rule == "client-pins", isForge(name) {
            throw Self.refusal("it is a forge, where requests must be seen, and the client refuses to be seen")
        }
        guard case .request(let method, _, _, let path) = access.what, access.rule != "client-pins",
            let scheme = Self.scheme(port)
        else {
            var isGuess = false
            if case .name = access.what { isGuess = true }
            (reach, methods) = (.host(isGuess: isGuess), [])
            return
        }
        try Self.check(method, path, name, scheme)
        reach = .requests(scheme: scheme, path: path)
        methods = access.rule == "network-websocket" ? [] : [method]
    }

    /// On other ports the record does not tell whether TLS was spoken.
    private static func scheme(_ port: UInt16) -> WebAddress.Scheme? { port == 443 ? .https : port == 80 ? .http : nil }

    private static func check(
        _ method: String,
        _ path: String,
        _ name: HostName,
        _ scheme: WebAddress.Scheme
    ) throws(EgressRefusal) {
        guard !path.contains(redacted) else {
            throw refusal("the path holds something secret, which the record does not have: write the entry yourself")
        }
        guard method.utf8.count + 1 + path.utf8.count < recordedBytes else {
            throw refusal("the path is longer than what is recorded of one: write the entry yourself")
        }
        let address = try WebAddress(Array("\(scheme.rawValue)://\(name)\(path)".utf8))
        guard address.path == path else { throw refusal("the path is none that an entry can name") }
        if path != "/" { _ = try PathPrefix(path) }
        _ = try WebRequest(method: method, address)
    }

    private static func refusal(_ reason: String) -> EgressRefusal { EgressRefusal(RuleID("suggest"), reason) }

    /// Why no entry lifts a rule.
    private static func never(_ access: RefusedAccess) -> EgressRefusal {
        switch access.rule {
        case "git-push": refusal("no configuration lets a sandbox push: it is a person's action")
        case "name-metadata", "address-metadata": refusal("no configuration lets a sandbox reach a metadata service")
        case let rule where rule.hasPrefix("credential-"): refusal("an alarm, and no lack of permission: look at it")
        case let rule where rule == "name-internal" || rule.hasPrefix("address-"):
            refusal(
                "\(access.reason): no entry reaches it, only an upstream that an operator declares: one name, one "
                    + "port, one fixed address"
            )
        case "network-none", "name-lookup":
            refusal(
                "nothing was listed, so that the run had no network and the name that was meant was not seen. Run it "
                    + "again with --allow-host of one name that it needs: then each name that it asks for is recorded"
            )
        default:
            refusal(
                "\(access.rule): \(access.reason)" + (access.remedy.map { "; what would allow it: \($0)" } ?? "")
            )
        }
    }

    mutating func add(_ access: RefusedAccess) { accesses.append(access) }

    /// Joins what one line says.
    mutating func join(_ other: Candidate) {
        methods.formUnion(other.methods)
        writesToForge = writesToForge || other.writesToForge
        accesses += other.accesses
    }

    var count: UInt64 { accesses.reduce(0) { $0.saturatingAdd($1.count) } }

    /// The entry as it is written.
    var text: String {
        switch reach {
        case .host: return target.port == 443 ? name.text : "\(target)"
        case .requests(let scheme, let path):
            let words = methods.isEmpty ? "" : methods.sorted().joined(separator: ",") + " "
            return "\(words)\(scheme.rawValue)://\(name)\(path)"
        }
    }

    var reason: String { accesses.first?.reason ?? "" }

    /// Whether a policy lets it happen.
    func isAllowed(by policy: NetworkPolicy) -> Bool {
        guard case .requests(let scheme, let path) = reach else { return policy.decide(target).verdict == .allow }
        guard let address = try? WebAddress(Array("\(scheme.rawValue)://\(name)\(path)".utf8)) else { return false }
        let words = methods.isEmpty ? ["GET"] : methods.sorted()
        return words.allSatisfy { method in
            guard let request = try? WebRequest(method: method, address) else { return false }
            let decision = policy.decide(request: request)
            guard decision.verdict == .allow else { return false }
            let entries = policy.entries(covering: request).allow ?? []
            if methods.isEmpty {
                return decision.rule == RuleID("network-upstream") || entries.contains { $0.methods == nil }
            }
            return !writesToForge || entries.contains { $0.methods != nil && $0.prefix != nil }
        }
    }
}

/// Candidates by what they reach, in the order of the first of each.
struct Candidates {
    private struct Key: Hashable {
        let target: ConnectTarget
        let reach: Candidate.Reach
        /// A WebSocket's entry names no methods, and others' do.
        let hasMethods: Bool
    }

    private var list: [Candidate] = []
    private var places: [Key: Int] = [:]

    mutating func add(_ candidate: Candidate, _ access: RefusedAccess) {
        var candidate = candidate
        candidate.add(access)
        let key = Key(
            target: candidate.target,
            reach: candidate.reach,
            hasMethods: !candidate.methods.isEmpty
        )
        if let place = places[key] {
            list[place].join(candidate)
        } else {
            places[key] = list.count
            list.append(candidate)
        }
    }

    /// Without what another one covers: a look-up beside what followed it, and requests beside their whole host.
    var merged: [Candidate] {
        var kept = list.filter { !isCovered($0) }
        for candidate in list where isCovered(candidate) {
            guard let place = kept.firstIndex(where: { Self.covers($0, candidate) }) else { continue }
            kept[place].join(Self.evidence(candidate))
        }
        return kept
    }

    /// What was seen of it, without what it would have added to the entry.
    private static func evidence(_ candidate: Candidate) -> Candidate { candidate.withoutMethods }

    private func isCovered(_ candidate: Candidate) -> Bool { list.contains { Self.covers($0, candidate) } }

    private static func covers(_ wider: Candidate, _ candidate: Candidate) -> Bool {
        switch (wider.reach, candidate.reach) {
        case (.host(false), .host(true)), (.requests, .host(true)): wider.name == candidate.name
        case (.host(false), .requests): wider.target == candidate.target && !candidate.writesToForge
        default: false
        }
    }
}

extension Candidate {
    fileprivate var withoutMethods: Candidate {
        var copy = self
        copy.methods = []
        return copy
    }
}
