import BrokerLink
import Domain
import Egress
import Files
import Glibc
import Policy
import Sandbox

/// The network of a run: what it may reach, and what of the host the broker needs for that.
struct RunNetwork: Sendable {
    let settings: BrokerSettings
    /// Ports of the host's loopback that lead to the same ports inside.
    let published: [UInt16]
    /// Entries of the policy that end before the run does.
    let temporary: [(rule: NetworkRule, milliseconds: UInt64)]

    /// Ports of well-known services that a run with a network always has a socket on, so that who asks for a name that
    /// is not listed hears it from the policy.
    private static let usualPorts: Set<UInt16> = [22, 80, 443]
    /// Programs may bind from here on, and a socket of ours on all addresses would be in their way.
    private static let lowestFreePort: UInt16 = 1024
    /// The resolver's own.
    private static let namesPort = SandboxNetwork.namesPort

    /// Nil where nothing may be reached and nothing is published: such a run has no network at all.
    static func make(
        _ configuration: Configuration,
        _ options: NetworkOptions,
        _ secrets: RunSecrets,
        _ limits: LimitSettings,
        _ agent: RunAgent,
        caller: Caller
    ) throws -> RunNetwork? {
        var policy = configuration.network
        let rules = try options.rules()
        let time = try options.milliseconds()
        policy.allow = try (policy.allow ?? []) + rules + secrets.entries + agent.entries()
        let published = try options.ports()
        guard policy.allow?.isEmpty == false || !policy.upstreams.isEmpty || !published.isEmpty else { return nil }
        policy.addresses = AddressGuard(nat64: policy.addresses.nat64, own: HostNetwork.ownAddresses())
        var settings = BrokerSettings(policy: policy)
        settings.forges = configuration.forges
        settings.secrets = secrets.held
        settings.models = ModelRules(configuration, limits)
        settings.providers = try agent.providers(secrets).map { $0.priced(configuration.prices) }
        settings.nameServers = HostNetwork.nameServers()
        settings.knownNames = HostNetwork.knownNames()
        settings.roots = try HostNetwork.roots()
        for upstream in policy.upstreams {
            guard let path = upstream.certificateAuthority else { continue }
            settings.upstreamRoots[upstream.name] = try CertificateFile.read(path, for: upstream, caller: caller)
        }
        let temporary = time.map { time in rules.map { ($0, time) } } ?? []
        return RunNetwork(settings: settings, published: published, temporary: temporary)
    }

    /// The sockets that are there from the start: the broker's own, and on ports below 1024 one for every address. On
    /// higher ports a name gets its own socket with its address, since loopback is the programs'.
    func listeners() -> [ListenerRequest] {
        guard let own = IPAddress(SandboxNetwork.brokerText), let all = IPAddress("::") else { return [] }
        let ports = usedPorts.union(Self.usualPorts).filter { $0 < Self.lowestFreePort && $0 != Self.namesPort }
        return [
            ListenerRequest(role: .datagramNames, address: own, port: SandboxNetwork.namesPort),
            ListenerRequest(role: .streamNames, address: own, port: SandboxNetwork.namesPort),
            ListenerRequest(role: .proxy, address: own, port: SandboxNetwork.proxyPort),
            ListenerRequest(role: .socks, address: own, port: SandboxNetwork.socksPort),
        ] + ports.sorted().map { ListenerRequest(role: .transparent, address: all, port: $0) }
            + settings.providers.compactMap(\.gatewayPort).map { port in
                ListenerRequest(role: .gateway, address: own, port: port)
            }
    }

    private var usedPorts: Set<UInt16> {
        Set((settings.policy.allow ?? []).map(\.port) + settings.policy.upstreams.map(\.port))
    }

    /// What the run's record says of it: the entries as they were written, each once.
    var entries: [String] {
        var rules: [NetworkRule] = []
        for rule in settings.policy.allow ?? [] where !rules.contains(where: { $0.isSame(as: rule) }) {
            rules.append(rule)
        }
        return rules.map(\.text) + settings.policy.upstreams.map { "upstream \($0)" }
            + published.map { "published \($0)" }
            + temporary.map { "\($0.rule.text) \(GrantText.time($0.milliseconds)) alone" }
    }

    /// Starts the broker, with the host's side of what is published.
    func start(_ secrets: RunSecrets, caller: Caller) throws -> NetworkService {
        var doors: [HostListener] = []
        for port in published { doors += try Self.listen(port) }
        return try NetworkService(
            brokerPath: try LauncherLocator.locate(BrokerProgram.name, caller: caller),
            settings: settings,
            listeners: listeners(),
            published: doors,
            secrets: secrets.memory,
            makerPath: try LauncherLocator.locate(caller: caller),
            lease: caller.isRoot ? try HostIdentity.leased() : nil
        )
    }

    private static func listen(_ port: UInt16) throws(CommandError) -> [HostListener] {
        do throws(SystemError) {
            return try HostListener.both(port: port)
        } catch {
            let place = error.path ?? "\(port)"
            guard error.code == EADDRINUSE else {
                throw CommandError(ExitStatus.failed, "publish \(place): \(String(cString: strerror(error.code)))")
            }
            throw CommandError(
                ExitStatus.failed,
                "publish \(place): another program of this machine listens there already",
                hint: "`ss -ltnp sport = :\(port)` shows which. End it, or have the server inside use another port and "
                    + "publish that one."
            )
        }
    }

    /// Programs that ask for a proxy are spared the detour by an address that stands for a name, and print what the
    /// proxy says. Servers inside are reached directly.
    static let variables: [EnvironmentVariable] = {
        let proxy = "http://\(SandboxNetwork.brokerText):\(SandboxNetwork.proxyPort)"
        // The gateways to models are the broker's own; the way by its proxy leads out.
        let direct = "localhost,127.0.0.1,::1,\(SandboxNetwork.brokerText)"
        let proxies = [
            ("HTTPS_PROXY", proxy), ("NO_PROXY", direct), ("http_proxy", proxy), ("https_proxy", proxy),
            ("no_proxy", direct),
        ]
        let trust = trustNames.map { ($0, SandboxRequest.trustBundlePath) }
        return (proxies + trust).map { EnvironmentVariable(name: $0.0, value: $0.1) }
    }()

    /// By these, programs are told of root certificates. Most replace their own by the file, so it holds the host's.
    private static let trustNames = [
        "AWS_CA_BUNDLE", "CARGO_HTTP_CAINFO", "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "CURL_CA_BUNDLE", "DENO_CERT",
        "GIT_SSL_CAINFO", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "NODE_EXTRA_CA_CERTS", "PIP_CERT", "REQUESTS_CA_BUNDLE",
        "SSL_CERT_FILE",
    ]
}
