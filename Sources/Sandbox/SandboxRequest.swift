package import Domain

/// What the engine needs to know beside the action itself: the view, the limits and who the command will be.
package struct SandboxRequest: Sendable {
    /// Where ``trustBundle`` lies inside.
    package static let trustBundlePath = "/run/bailey/ca-certificates.pem"
    /// Where the same roots lie as a key store of Java's.
    static let javaStorePath = "/run/bailey/cacerts"

    /// Where ``gitConfiguration`` lies inside. No view shows the host's.
    package static let gitConfigurationPath = "/etc/gitconfig"

    /// The private home: where it lies, and what of it persists.
    package struct Home: Sendable {
        /// A directory of the host that is bound into the home, writable: a cache.
        package struct Cache: Sendable {
            /// Below the home.
            package let path: String
            package let hostDirectory: String

            package init(path: String, hostDirectory: String) {
                self.path = path
                self.hostDirectory = hostDirectory
            }
        }

        /// Absolute; the same path as the caller's home, so that programs in it find themselves.
        package var path: String
        package var caches: [Cache] = []
        /// Small files that the home begins with: path below it, content.
        package var files: [(path: String, content: String)] = []

        package init(path: String) { self.path = path }
    }

    package var mounts: [WorkspaceMount]
    package var home: Home
    /// Host paths that are shown read-only where they lie: programs in the home and what the operator lists. Already
    /// judged.
    package var readable: [String]
    /// Paths inside what is shown that are covered by nothing: settings that hold tokens.
    package var covered: [String] = []
    package var limits: ResourceLimits
    package var identity: HostIdentity
    /// A host path that must not be visible; the launcher tries it.
    package var canary: String
    package var userName: String
    /// The system's configuration of git inside; nil for none.
    package var gitConfiguration: String?
    /// True if names are looked up and reached through a broker.
    var hasNetwork = false
    /// Root certificates that programs inside trust, PEM; nil without a network.
    var trustBundle: String?
    /// Empty directories are made here while a run lives, and removed.
    package var run: RunID

    package init(
        mounts: [WorkspaceMount],
        home: Home,
        readable: [String],
        limits: ResourceLimits,
        identity: HostIdentity,
        canary: String,
        userName: String,
        run: RunID
    ) {
        self.mounts = mounts
        self.home = home
        self.readable = readable
        self.limits = limits
        self.identity = identity
        self.canary = canary
        self.userName = userName
        self.run = run
    }
}
