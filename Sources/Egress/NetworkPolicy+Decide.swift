import Domain

extension NetworkPolicy {
    /// A connection to `HOST:PORT`, as CONNECT, SOCKS and a transparent socket ask for it.
    package func decide(connect bytes: some Collection<UInt8>) -> EgressDecision {
        .of { () throws(EgressRefusal) in try allowed(ConnectTarget(bytes), request: nil) }
    }

    /// One request to an absolute URL.
    package func decide(url bytes: some Collection<UInt8>, method: String = "GET") -> EgressDecision {
        .of { () throws(EgressRefusal) in
            let request = try WebRequest(method: method, WebAddress(bytes))
            return try allowed(request.address.target, request: request)
        }
    }

    /// One request that was read already.
    package func decide(request: WebRequest) -> EgressDecision {
        .of { () throws(EgressRefusal) in try allowed(request.address.target, request: request) }
    }

    /// The operator's entries that cover a request, and the project's; nil for a list that there is not.
    package func entries(covering request: WebRequest) -> (allow: [NetworkRule]?, narrowed: [NetworkRule]?) {
        guard case .name(let name) = request.address.target.host else { return ([], []) }
        let covers: (NetworkRule) -> Bool = { rule in
            rule.port == request.address.target.port && rule.covers(name) && rule.covers(request)
        }
        return (allow?.filter(covers), narrowed?.filter(covers))
    }

    /// A host alone, on any port that the policy has for it.
    package func decide(host bytes: some Collection<UInt8>) -> EgressDecision {
        .of { () throws(EgressRefusal) in
            switch try Host(bytes) {
            case .address(let address): try allowed(address, port: nil)
            case .name(let name): try allowed(name)
            }
        }
    }

    /// An address alone, without brackets.
    package func decide(address bytes: [UInt8]) -> EgressDecision {
        .of { () throws(EgressRefusal) in
            guard let address = IPAddress(bytes) else {
                throw EgressRefusal(
                    RuleID("address-syntax"),
                    "\(EgressRefusal.quoted(bytes)) is no address",
                    remedy: "Write dotted decimal, or an IPv6 address without brackets and zone."
                )
            }
            return try allowed(address, port: nil)
        }
    }

    /// A name with what a lookup answered: every alias and every address must pass.
    package func decide(name bytes: [UInt8], aliases: [[UInt8]], answers: [IPAddress]) -> EgressDecision {
        .of { () throws(EgressRefusal) in
            guard case .name(let name) = try Host(bytes) else { return try allowedName(bytes) }
            let decision = try allowed(name)
            for alias in aliases {
                guard case .name(let target) = try Host(alias) else { return try allowedName(alias) }
                if let refusal = InternalNames.refusal(of: target) { throw refusal }
            }
            _ = try addresses.check(answers, port: 443)
            return decision
        }
    }

    /// A question to the resolver inside a sandbox.
    package func decide(query type: String, name bytes: [UInt8]) -> EgressDecision {
        .of { () throws(EgressRefusal) in
            guard ["A", "AAAA"].contains(type) else {
                throw EgressRefusal(
                    RuleID("dns-type"),
                    "a question for \(EgressRefusal.quoted(type.utf8)) records is never answered",
                    remedy: "Ask for A or AAAA."
                )
            }
            guard case .name(let name) = try Host(bytes) else { return try allowedName(bytes) }
            _ = try allowed(name)
            return EgressDecision(allow: RuleID("dns-listed"), "\(name) is answered with an address inside the sandbox")
        }
    }

    /// What stands where only a name may stand.
    private func allowedName(_ bytes: [UInt8]) throws(EgressRefusal) -> EgressDecision {
        throw EgressRefusal(
            RuleID("host-numeric"),
            "\(EgressRefusal.quoted(bytes)) is an address, and only a name is looked up"
        )
    }
}

extension NetworkPolicy {
    /// The one decision on a host, a port, and where it is seen a request.
    func allowed(_ target: ConnectTarget, request: WebRequest?) throws(EgressRefusal) -> EgressDecision {
        switch target.host {
        case .address(let address): return try allowed(address, port: target.port)
        case .name(let name):
            if let upstream = upstreams.first(where: { $0.name == name && $0.port == target.port }) {
                return try allowed(upstream, target, request)
            }
            if let refusal = InternalNames.refusal(of: name) { throw refusal }
            guard let allow else { return try allowedPublic(target) }
            let entry = try covering(allow, name, target, request, by: "network: allow")
            if let narrowed { _ = try covering(narrowed, name, target, request, by: "the project's network: allow") }
            return EgressDecision(allow: RuleID("network-allow"), reason(entry, target, request))
        }
    }

    private func allowed(
        _ upstream: Upstream,
        _ target: ConnectTarget,
        _ request: WebRequest?
    ) throws(EgressRefusal) -> EgressDecision {
        if let narrowed {
            _ = try covering(narrowed, upstream.name, target, request, by: "the project's network: allow")
        }
        return EgressDecision(allow: RuleID("network-upstream"), "\(upstream) is a declared upstream")
    }

    /// A literal address: judged only where everything public is allowed, as entries are names.
    private func allowed(_ address: IPAddress, port: UInt16?) throws(EgressRefusal) -> EgressDecision {
        _ = try addresses.check([address], port: port ?? 443)
        guard allow == nil else {
            throw EgressRefusal(
                RuleID("network-unlisted"),
                "the address \(address) is not listed: entries of network: allow are names",
                remedy: "Use the name of the service, and have the operator list it."
            )
        }
        if let port { return try allowedPublic(ConnectTarget(host: .address(address), port: port)) }
        return EgressDecision(allow: RuleID("network-public"), "\(address) is globally reachable")
    }

    private func allowedPublic(_ target: ConnectTarget) throws(EgressRefusal) -> EgressDecision {
        guard Self.publicPorts.contains(target.port) else {
            throw EgressRefusal(
                RuleID("network-port"),
                "port \(target.port) is neither 80 nor 443",
                remedy: "An operator lists \(target) under network: allow."
            )
        }
        return EgressDecision(allow: RuleID("network-public"), "\(target) is public; its addresses are judged on use")
    }

    /// A name, on whatever port there is an entry for.
    private func allowed(_ name: HostName) throws(EgressRefusal) -> EgressDecision {
        let isNarrowed = narrowed.map { rules in !rules.contains { $0.covers(name) } } ?? false
        if let upstream = upstreams.first(where: { $0.name == name }), !isNarrowed {
            return EgressDecision(allow: RuleID("network-upstream"), "\(upstream) is a declared upstream")
        }
        if let refusal = InternalNames.refusal(of: name) { throw refusal }
        guard let allow else {
            return EgressDecision(allow: RuleID("network-public"), "\(name) is a public name")
        }
        guard let entry = allow.first(where: { $0.covers(name) }), !isNarrowed else {
            throw unlisted(name, ConnectTarget(host: .name(name), port: 443), by: "network: allow")
        }
        return EgressDecision(allow: RuleID("network-allow"), "\(name) is listed: \(entry.text)")
    }

    /// The first entry that covers a destination.
    private func covering(
        _ rules: [NetworkRule],
        _ name: HostName,
        _ target: ConnectTarget,
        _ request: WebRequest?,
        by list: String
    ) throws(EgressRefusal) -> NetworkRule {
        let named = rules.filter { $0.covers(name) }
        guard !named.isEmpty else { throw unlisted(name, target, by: list) }
        let onPort = named.filter { $0.port == target.port }
        guard !onPort.isEmpty else {
            let ports = Set(named.map(\.port)).sorted().map(String.init).joined(separator: ", ")
            throw EgressRefusal(
                RuleID("network-port"),
                "\(list) has \(name) on port \(ports) and not on \(target.port)",
                remedy: "An operator lists \(target) under network: allow."
            )
        }
        guard let request else { return onPort[0] }
        // An entry for the whole host does not look at paths, so a path that cannot be judged matters only without one.
        if let whole = onPort.first(where: { !$0.needsRequest && $0.covers(request) }) { return whole }
        if onPort.contains(where: { $0.prefix != nil }) { try PathPrefix.check(request.address.path) }
        guard let entry = onPort.first(where: { $0.covers(request) }) else {
            throw EgressRefusal(
                RuleID("network-request"),
                "\(request.method) \(EgressRefusal.quoted(request.address.path.utf8)) on \(target) is covered by no "
                    + "entry of \(list)",
                remedy: "An operator lists the method and the URL under network: allow."
            )
        }
        return entry
    }

    private func unlisted(_ name: HostName, _ target: ConnectTarget, by list: String) -> EgressRefusal {
        EgressRefusal(
            RuleID("network-unlisted"),
            "\(name) is not listed under \(list)",
            remedy:
                "An operator lists \(target) under network: allow, and a project's list must hold it too if it has one."
        )
    }

    private func reason(_ entry: NetworkRule, _ target: ConnectTarget, _ request: WebRequest?) -> String {
        guard entry.needsRequest, request == nil else { return "\(target) is listed: \(entry.text)" }
        return "\(target) is listed for requests that an entry covers: \(entry.text)"
    }
}
