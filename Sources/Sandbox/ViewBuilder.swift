import CLinux
import Domain
import Files
import Glibc
import LauncherCore

/// Composes what a command sees: a read-only system, private temporary places, the home, the project.
struct ViewBuilder {
    private static let readOnly = UInt32(BAILEY_TREE_READONLY | BAILEY_TREE_NOSUID | BAILEY_TREE_NODEV)
    private static let privateData = UInt32(BAILEY_TREE_NOSUID | BAILEY_TREE_NODEV)
    /// What hidden places of a live tree are covered by: nobody may open the one, nothing lies in the other.
    private static let emptyFile = "/run/bailey/covered-file"
    private static let emptyDirectory = "/run/bailey/covered-directory"
    private static let readWrite = UInt32(BAILEY_LANDLOCK_READ | BAILEY_LANDLOCK_WRITE)

    let request: SandboxRequest
    private(set) var operations: [LaunchPlan.Operation] = []
    private(set) var permissions: [LaunchPlan.Permission] = [.init(path: "/", access: UInt32(BAILEY_LANDLOCK_READ))]
    private(set) var identities: [LaunchPlan.Identity] = []

    init(_ request: SandboxRequest) throws(SandboxError) {
        self.request = request
        addSystem()
        try addConfiguration()
        addDevices()
        addPrivatePlaces()
        if let bundle = request.trustBundle { addTrust(bundle) }
        try addReadable()
        if request.trustBundle != nil { replaceTrust() }
        for mount in request.mounts { try addWorkspace(mount) }
    }

    /// `/usr` and `/opt` are shown; the directories of the root that modern systems make links into `/usr` stay links.
    private mutating func addSystem() {
        add(.tree, "/usr") { $0.attributes = Self.readOnly }
        add(.view, "/opt") {
            $0.attributes = Self.readOnly
            $0.isOptional = true
        }
        for name in ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"] {
            if let target = SystemPaths.linkTarget(name) {
                add(.link, name) { $0.source = target }
            } else {
                add(.tree, name) {
                    $0.attributes = Self.readOnly
                    $0.isOptional = true
                }
            }
        }
        add(.tree, "/sys/devices/system/cpu") {
            $0.attributes = Self.readOnly
            $0.isOptional = true
        }
        add(.processes, "/proc")
    }

    /// A short list of `/etc`; the files that name users and hosts are the sandbox's own.
    private mutating func addConfiguration() throws(SandboxError) {
        for (name, content) in SystemPaths.ownConfiguration(request) { addFile("/etc/" + name, content) }
        if let text = request.gitConfiguration { addFile(SandboxRequest.gitConfigurationPath, text) }
        let showings: [(path: String, showing: SystemPaths.Showing)]
        do throws(SystemError) {
            showings = try SystemPaths.showings()
        } catch {
            throw SandboxError(.setup, "look at the settings of the system: \(error)")
        }
        for (path, showing) in showings {
            switch showing {
            case .link(let target): add(.link, path) { $0.source = target }
            case .content(let content): addFile(path, content)
            case .tree:
                add(.tree, path) {
                    $0.attributes = Self.readOnly
                    $0.isOptional = true
                }
            }
        }
    }

    private mutating func addDevices() {
        addTemporary("/dev", bytes: 64 << 10, files: 64, mode: "0755")
        for name in ["null", "zero", "full", "random", "urandom", "tty"] {
            add(.tree, "/dev/" + name) { $0.attributes = UInt32(BAILEY_TREE_NOSUID | BAILEY_TREE_NOEXEC) }
        }
        add(.terminals, "/dev/pts")
        for (name, target) in [
            ("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
        ] {
            add(.link, "/dev/" + name) { $0.source = target }
        }
        permissions.append(.init(path: "/dev", access: UInt32(BAILEY_LANDLOCK_DEVICE)))
        // The parts of /proc that tell of the host or of other people's keys.
        // Files that only root may read are closed as they are.
        for name in [
            "keys", "key-users", "kcore", "timer_list", "sched_debug", "sysrq-trigger", "kmsg", "kallsyms", "cmdline",
            "config.gz", "diskstats", "interrupts", "modules", "partitions", "softirqs",
        ] {
            add(.hide, "/proc/" + name)
        }
        for name in ["acpi", "asound", "bus", "driver", "fs", "irq", "scsi", "tty"] { add(.hide, "/proc/" + name) }
    }

    private mutating func addPrivatePlaces() {
        // There are four of these, and where no control group counts them they must not double the memory.
        let bytes = min(request.limits.temporaryBytes, request.limits.memoryBytes / 4)
        let files = request.limits.temporaryFiles
        for path in ["/tmp", "/var/tmp", "/dev/shm"] {
            addTemporary(path, bytes: bytes, files: files, mode: "1777")
            permit(path)
        }
        for path in ["/run", "/var/lib", "/var/cache", "/var/log", "/mnt", "/srv"] { add(.directory, path) }
        // How a `bailey` that is started inside knows where it is.
        addFile("/run/bailey/inside", request.run.rawValue + "\n")
        if request.isLive {
            addFile(Self.emptyFile, "", mode: 0)
            add(.directory, Self.emptyDirectory) { $0.mode = 0o555 }
        }
        addTemporary(request.home.path, bytes: bytes, files: files, mode: "0700")
        permit(request.home.path)
        for file in request.home.files { addFile(request.home.path + "/" + file.path, file.content, mode: 0o644) }
        // A cache that cannot be shown as the command's own is empty in each run.
        for cache in request.home.caches where canShow(cache.hostDirectory) {
            let mapped = identity(SystemPaths.owner(cache.hostDirectory))
            add(.tree, request.home.path + "/" + cache.path) {
                $0.source = cache.hostDirectory
                $0.attributes = Self.privateData
                $0.identity = mapped
            }
        }
    }

    /// The roots that programs trust, where they are told to look.
    private mutating func addTrust(_ bundle: String) {
        addFile(SandboxRequest.trustBundlePath, bundle)
        add(.file, SandboxRequest.javaStorePath) {
            $0.content = JavaTrustStore.encode(PEMCertificates.decode(bundle))
            $0.mode = 0o444
        }
        for path in TrustPlaces.linked { add(.link, path) { $0.source = SandboxRequest.trustBundlePath } }
    }

    /// The same over the host's own, for programs that are told nothing.
    private mutating func replaceTrust() {
        for path in TrustPlaces.bundleFiles() { replace(path, by: SandboxRequest.trustBundlePath) }
        for path in TrustPlaces.javaFiles() { replace(path, by: SandboxRequest.javaStorePath) }
    }

    /// Puts a file of ours over one of the host's, where the view shows that.
    private mutating func replace(_ path: String, by file: String) {
        add(.cover, path) {
            $0.source = file
            $0.attributes = Self.readOnly
            $0.isOptional = true
        }
    }

    private mutating func addReadable() throws(SandboxError) {
        for path in request.readable {
            guard let resolved = SystemPaths.resolved(path) else { continue }
            let mapped = canShow(resolved) ? identity(SystemPaths.owner(resolved)) : nil
            add(.view, resolved) {
                $0.attributes = Self.readOnly
                $0.identity = mapped
                $0.isOptional = true
            }
            if resolved != path { add(.link, path) { $0.source = resolved } }
        }
        for path in request.covered {
            guard let resolved = SystemPaths.resolved(path) else { continue }
            add(.hide, resolved)
        }
    }

    private mutating func addWorkspace(_ mount: WorkspaceMount) throws(SandboxError) {
        let owner = LaunchPlan.Identity(userID: mount.ownerUserID, groupID: mount.ownerGroupID)
        var mapped = identity(owner)
        switch mount.source {
        case .overlay(let lower, let mask, let layers):
            add(.overlay, mount.target) {
                $0.source = lower
                $0.second = mask ?? ""
                $0.third = layers
                $0.identity = mapped
            }
        case .copy(let directory):
            if !canShow(directory) {
                let sandbox = request.identity
                try OwnerMapping.handOver(directory, userID: sandbox.hostUserID, groupID: sandbox.hostGroupID)
                mapped = nil
            }
            add(.tree, mount.target) {
                $0.source = directory
                $0.attributes = Self.privateData
                $0.identity = mapped
            }
        case .live(let isReadOnly, let guards):
            add(.live, mount.target) {
                $0.source = mount.target
                $0.attributes = isReadOnly ? Self.readOnly : Self.privateData
                $0.identity = mapped
            }
            for place in guards { addGuard(place, in: mount.target) }
            if isReadOnly { return }
        }
        permit(mount.target)
    }

    /// Whether a tree of the host can be shown under the command's own id.
    private func canShow(_ path: String) -> Bool { !request.identity.isPrivileged || OwnerMapping.isPossible(path) }

    /// A guard is made inside the new root, from what was mounted before: no path of the host is opened again.
    private mutating func addGuard(_ place: WorkspaceGuard, in tree: String) {
        let path = tree + "/" + String(decoding: place.path.bytes, as: UTF8.self)
        switch place.kind {
        case .sealed: add(.rebind, path) { $0.attributes = Self.readOnly }
        case .pinned: add(.rebind, path) { $0.attributes = Self.privateData }
        case .covered:
            add(.cover, path) {
                $0.source = Self.emptyFile
                $0.second = Self.emptyDirectory
                $0.attributes = Self.readOnly
            }
        }
    }

    /// The index of an id-mapping, where one is needed: an ordinary user's files are theirs inside as well.
    private mutating func identity(_ owner: LaunchPlan.Identity?) -> UInt32? {
        guard request.identity.isPrivileged, let owner else { return nil }
        if let known = identities.firstIndex(of: owner) { return UInt32(known) }
        identities.append(owner)
        return UInt32(identities.count - 1)
    }

    private mutating func permit(_ path: String) { permissions.append(.init(path: path, access: Self.readWrite)) }

    private mutating func addFile(_ path: String, _ content: String, mode: UInt32 = 0o444) {
        add(.file, path) {
            $0.source = content
            $0.mode = mode
        }
    }

    private mutating func addTemporary(_ path: String, bytes: UInt64, files: UInt64, mode: String) {
        add(.temporary, path) {
            $0.source = String(bytes)
            $0.second = String(files)
            $0.third = mode
            $0.attributes = Self.privateData
        }
    }

    /// Adds an operation; a tree comes from where it goes unless the closure says otherwise.
    private mutating func add(
        _ kind: LaunchPlan.Operation.Kind,
        _ target: String,
        _ adjust: (inout LaunchPlan.Operation) -> Void = { _ in }
    ) {
        var operation = LaunchPlan.Operation(kind, source: kind == .tree || kind == .view ? target : "", target: target)
        adjust(&operation)
        operations.append(operation)
    }
}
