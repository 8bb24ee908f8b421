import BrokerLink
import CLinux
package import Domain
import Egress
import Files
import Glibc

/// Says of an observed call whether a wall refuses it. In doubt it does not: a denial that was none sends people and
/// models looking for a wall that does not stand there. The walls themselves do not ask here.
package struct DenialRules {
    /// Sockets of the host that programs look for at fixed places, none of which is shown.
    private static let hostSockets = [
        "/run/containerd/", "/run/crio/", "/run/dbus/", "/run/docker.sock", "/run/podman/", "/run/systemd/private",
        "/run/user/", "/tmp/.X11-unix/", "/tmp/ssh-",
    ].map { Array($0.utf8) }
    /// Programs that do nothing without set-user-id. Others with that bit do some of their work without.
    private static let privilegedNames = ["doas", "pkexec", "su", "sudo"].map { Array($0.utf8) }
    private static let nameServerPort: UInt16 = 53
    /// What is asked is not in the call, so that one line stands for all names.
    private static let nameServer = Array("a name server".utf8)
    /// systemd's resolver, which is asked through sockets here.
    private static let nameService = Array("/run/systemd/resolve/".utf8)
    /// Ports below are refused to whoever has no capability in the network namespace.
    private static let lowestFreePort: UInt16 = 1024
    /// Families of sockets that programs are known to try.
    private static let knownFamilies: [UInt16: String] = [
        16: "netlink", 17: "packet", 29: "can", 31: "bluetooth", 38: "alg", 40: "vsock", 44: "xdp",
    ]

    /// Beneath these, what a command executes is as visible as it is outside.
    private let visible: [[UInt8]]
    /// A broker answers for the sandbox's own addresses: what it refuses it says itself.
    private let hasNetwork: Bool

    package init(_ request: SandboxRequest) {
        let shown = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/opt", "/proc", "/dev", "/tmp"]
        hasNetwork = request.hasNetwork
        visible = (shown + request.mounts.map(\.target) + request.readable).map { Array(($0 + "/").utf8) }
    }

    /// - Parameter act: connecting, or sending without it.
    package func reaching(_ address: SocketAddress, by act: Denial.Act, process: Int32) -> Denial? {
        if hasNetwork, case .internet(_, _, _, let octets) = address,
            let place = IPAddress(networkBytes: octets), SandboxNetwork.contains(place)
        {
            return nil
        }
        switch address {
        // Where no name server is named, programs ask this machine's own, and nobody inside may listen there.
        case .internet(_, isInside: true, Self.nameServerPort, _): return Denial(act, Self.nameServer, .nameLookup)
        case .internet(let text, isInside: false, _, _): return Denial(act, Array(text.utf8), .networkNone)
        case .internet, .abstract: return nil
        case .path(let path):
            let place = path.starts(with: Array("/var/run/".utf8)) ? Array(path.dropFirst(4)) : path
            if place.starts(with: Self.nameService), Self.isMissing(process, path) {
                return Denial(act, Self.nameServer, .nameLookup)
            }
            guard Self.hostSockets.contains(where: { place.starts(with: $0) }),
                Self.isMissing(process, path)
            else { return nil }
            return Denial(act, path, .hostSocket)
        case .family(let family): return Self.unknownFamily(act, family)
        }
    }

    package func binding(to address: SocketAddress) -> Denial? {
        switch address {
        case .internet(let text, _, let port, _) where port != 0 && port < Self.lowestFreePort:
            return Denial(.bind, Array(text.utf8), .bindLowPort)
        case .internet(let text, isInside: false, _, let octets) where HostAddresses.contain(octets):
            return Denial(.bind, Array(text.utf8), .bindHostAddress)
        case .internet, .path, .abstract: return nil
        case .family(let family): return Self.unknownFamily(.bind, family)
        }
    }

    package func executing(_ path: [UInt8], process: Int32) -> Denial? {
        guard path.first == UInt8(ascii: "/") else { return nil }
        let name = Array(path[(path.lastIndex(of: UInt8(ascii: "/")) ?? 0)...].dropFirst())
        if Self.privilegedNames.contains(name), Self.hasPrivilegeBit(process, path) {
            return Denial(.execute, path, .noPrivilege)
        }
        guard !visible.contains(where: { path.starts(with: $0) }), Self.isMissing(process, path),
            Self.isProgramOutside(path)
        else { return nil }
        return Denial(.execute, path, .notVisible)
    }

    private static func unknownFamily(_ act: Denial.Act, _ family: UInt16) -> Denial? {
        knownFamilies[family].map { Denial(act, Array("a \($0) socket".utf8), .socketFamily) }
    }

    /// True if the process's own root says that there is no such path.
    private static func isMissing(_ process: Int32, _ path: [UInt8]) -> Bool {
        let found = open(process, path)
        if found >= 0 { close(found) }
        return found < 0 && (errno == ENOENT || errno == ENOTDIR)
    }

    private static func hasPrivilegeBit(_ process: Int32, _ path: [UInt8]) -> Bool {
        let found = open(process, path)
        guard found >= 0 else { return false }
        defer { close(found) }
        var status = stat()
        return fstat(found, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_mode & S_ISUID != 0
    }

    /// Opens nothing but the place, beneath the process's own root, as its own links lead.
    private static func open(_ process: Int32, _ path: [UInt8]) -> Int32 {
        let root = bailey_open("/proc/\(process)/root", BAILEY_O_PATH | O_DIRECTORY, 0)
        guard root >= 0 else { return -1 }
        defer { close(root) }
        return find(path, in: root, BAILEY_RESOLVE_NO_MAGICLINKS | 0x10 /* RESOLVE_IN_ROOT */)
    }

    /// Whether the caller could execute it outside. The path is the command's choice, so only what the kernel holds in
    /// memory is asked: no automounter starts, and no dead file server stops us.
    private static func isProgramOutside(_ path: [UInt8]) -> Bool {
        let root = bailey_open("/", BAILEY_O_PATH | O_DIRECTORY, 0)
        guard root >= 0 else { return false }
        defer { close(root) }
        let found = find(path, in: root, BAILEY_RESOLVE_NO_MAGICLINKS | 0x20 /* RESOLVE_CACHED */)
        guard found >= 0 else { return false }
        defer { close(found) }
        var status = stat()
        return fstat(found, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_mode & 0o111 != 0
    }

    private static func find(_ path: [UInt8], in root: Int32, _ resolve: Int32) -> Int32 {
        let text = path.map(CChar.init(bitPattern:)) + [0]
        return bailey_openat2(root, text, UInt64(BAILEY_O_PATH | O_CLOEXEC), 0, UInt64(resolve))
    }
}

/// The addresses of this machine's interfaces, which the sandbox's network namespace does not have.
private enum HostAddresses {
    private static let interfacesMax = 1024

    static func contain(_ octets: [UInt8]) -> Bool {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return false }
        defer { freeifaddrs(first) }
        var next = first
        for _ in 0..<interfacesMax {
            guard let entry = next else { return false }
            if let address = entry.pointee.ifa_addr, Self.octets(address) == octets { return true }
            next = entry.pointee.ifa_next
        }
        return false
    }

    private static func octets(_ address: UnsafeMutablePointer<sockaddr>) -> [UInt8]? {
        let bytes = UnsafeRawPointer(address)
        switch Int32(address.pointee.sa_family) {
        case AF_INET: return Array(UnsafeRawBufferPointer(start: bytes + 4, count: 4))
        case AF_INET6: return Array(UnsafeRawBufferPointer(start: bytes + 8, count: 16))
        default: return nil
        }
    }
}
