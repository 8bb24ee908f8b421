extension NetworkPolicy {
    /// The ports on which a name may be reached, in order: where somebody must listen for programs that know of no
    /// proxy. Each has passed the one decision.
    package func ports(of name: HostName) -> [UInt16] {
        let listed = allow.map { rules in rules.filter { $0.covers(name) }.map(\.port) } ?? Array(Self.publicPorts)
        let declared = upstreams.filter { $0.name == name }.map(\.port)
        return Set(listed + declared).sorted().filter { port in
            (try? allowed(ConnectTarget(host: .name(name), port: port), request: nil)) != nil
        }
    }
}
