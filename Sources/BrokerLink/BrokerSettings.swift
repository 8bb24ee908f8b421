package import Egress

/// What the broker keeps to: one value, replaced whole, so that there is no moment with half of it.
package struct BrokerSettings: Sendable, Equatable {
    package var policy: NetworkPolicy
    /// Hosts of git repositories beyond the well-known ones: always terminated.
    package var forges: Set<HostName>
    /// Where names are looked up: the name servers of the host.
    package var nameServers: [NameServer]
    /// Names that the host itself knows, from its hosts file.
    package var knownNames: [HostName: [IPAddress]]
    /// Root certificates that services are verified against, PEM.
    package var roots: String
    /// Root certificates of single upstreams, PEM, in place of ``roots``.
    package var upstreamRoots: [HostName: String]
    package var limits: BrokerLimits
    /// What the broker holds for the run; the values come by orders.
    package var secrets: [HeldSecret] = []
    /// Services whose requests are metered.
    package var providers: [ModelProvider] = []
    package var models = ModelRules()

    package init(
        policy: NetworkPolicy = NetworkPolicy(),
        forges: Set<HostName> = [],
        nameServers: [NameServer] = [],
        knownNames: [HostName: [IPAddress]] = [:],
        roots: String = "",
        upstreamRoots: [HostName: String] = [:],
        limits: BrokerLimits = BrokerLimits()
    ) {
        self.policy = policy
        self.forges = forges
        self.nameServers = nameServers
        self.knownNames = knownNames
        self.roots = roots
        self.upstreamRoots = upstreamRoots
        self.limits = limits
    }

    /// True for hosts of git repositories, well-known ones or the operator's, and for all names below them. Their
    /// requests are always seen, so that nothing is pushed or changed there without a rule that says so.
    package func isForge(_ name: HostName) -> Bool {
        forges.contains(name) || forges.contains { name.isBelow($0) } || KnownForges.contains(name)
    }
}

extension BrokerSettings {
    /// True where a secret is bound, or models are metered: each request there must be seen.
    package func isBound(_ target: ConnectTarget) -> Bool {
        secrets.contains { $0.bindings.contains { $0.isAt(target) } }
            || provider(at: target) != nil
    }

    /// The provider of models that is reached there.
    package func provider(at target: ConnectTarget) -> ModelProvider? {
        providers.first { target.port == $0.port && target.host == .name($0.host) }
    }

    /// Where a provider of models is reached inside over plain HTTP; nil where it is not.
    package func gateway(to target: ConnectTarget) -> ConnectTarget? {
        guard let port = provider(at: target)?.gatewayPort, let own = IPAddress(SandboxNetwork.brokerText) else {
            return nil
        }
        return ConnectTarget(host: .address(own), port: port)
    }
}

/// A name server of the host. Its address is the host's business, so no guard judges it; only questions go there.
package struct NameServer: Sendable, Hashable {
    package var address: IPAddress
    package var port: UInt16

    package init(address: IPAddress, port: UInt16 = 53) {
        self.address = address
        self.port = port
    }
}
