import BrokerLink
import Egress
import Sandbox

/// How git inside comes to fetch over HTTPS what an address of SSH names: on forges that is what passes, and what is
/// seen of it is enough to refuse a push.
///
/// It is a file and no variables, so that it holds where a program clears its environment, in programs that read git's
/// files with a library, and beside the `GIT_CONFIG_COUNT` of a user.
enum GitAddresses {
    private static let sshPort: UInt16 = 22
    private static let homeFile = ".gitconfig"
    /// About as much as the well-known forges need.
    private static let textBytes = 16 << 10

    /// The system's configuration of git inside.
    static func configuration(_ settings: BrokerSettings) -> String {
        var text = "# Bailey: what SSH addresses of forges name is fetched over HTTPS.\n"
        text.reserveCapacity(textBytes)
        for host in hosts(settings) {
            text += "[url \"https://\(host)/\"]\n\tinsteadOf = git@\(host):\n\tinsteadOf = ssh://git@\(host)/\n"
            text += "\tinsteadOf = ssh://\(host)/\n\tinsteadOf = git://\(host)/\n"
        }
        return text
    }

    /// Git that was built for another prefix looks for the system's file elsewhere, so the home's file leads there too.
    static func included(in home: [(path: String, content: String)]) -> [(path: String, content: String)] {
        let include = "[include]\n\tpath = \(SandboxRequest.gitConfigurationPath)\n"
        guard home.contains(where: { $0.path == homeFile }) else { return home + [(homeFile, include)] }
        return home.map { $0.path == homeFile ? ($0.path, include + $0.content) : $0 }
    }

    /// Forges, but for those that the operator lets be reached over SSH.
    private static func hosts(_ settings: BrokerSettings) -> [String] {
        let rules = settings.policy.allow ?? []
        let upstreams = settings.policy.upstreams
        let named = rules.compactMap { if case .exactly(let name) = $0.names { name } else { nil } }
        let listed = (named + upstreams.map(\.name)).filter(settings.isForge)
        let all = KnownForges.sshHosts.union(settings.forges.map(\.text)).union(listed.map(\.text)).sorted()
        let open = rules.filter { $0.port == sshPort }
        let openUpstreams = upstreams.filter { $0.port == sshPort }
        guard !open.isEmpty || !openUpstreams.isEmpty else { return all }
        return all.filter { text in
            guard let name = try? HostName(text) else { return false }
            return !open.contains { $0.covers(name) } && !openUpstreams.contains { $0.name == name }
        }
    }
}
