import Domain

extension NetworkPolicy {
    /// What must be seen of a connection, so that it carries what the policy allows and nothing else.
    package enum Sight: Int, Sendable, Comparable {
        /// Nothing: the whole host is listed on this port, whatever is spoken there.
        case nothing
        /// The server name of its TLS.
        case serverName
        /// Every request.
        case requests

        package static func < (left: Sight, right: Sight) -> Bool { left.rawValue < right.rawValue }
    }

    /// A connection to a host and a port.
    package func decide(_ target: ConnectTarget) -> EgressDecision {
        .of { () throws(EgressRefusal) in try allowed(target, request: nil) }
    }

    /// What must be seen of a connection to an allowed target: the least that an entry asks for, of each list, and the
    /// most that a list asks for.
    package func sight(_ target: ConnectTarget) -> Sight {
        guard case .name(let name) = target.host else { return .nothing }
        let isUpstream = upstreams.contains { $0.name == name && $0.port == target.port }
        let lists = [isUpstream ? nil : allow, narrowed]
        return lists.compactMap { $0 }.map { rules in
            rules.filter { $0.covers(name) && $0.port == target.port }.map(\.sight).min() ?? .requests
        }.max() ?? .nothing
    }
}

extension NetworkRule {
    /// What must be seen of a connection to know that this entry covers it.
    fileprivate var sight: NetworkPolicy.Sight {
        if needsRequest { return .requests }
        switch scheme {
        case nil: return .nothing
        case .https: return .serverName
        case .http: return .requests
        }
    }
}
