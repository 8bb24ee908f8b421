import BrokerLink
import Egress
import Files
import Glibc
import Sandbox

/// What of this machine's network the broker is told: it can open no file itself.
enum HostNetwork {
    private static let interfacesMax = 4096
    private static let resolverBytesMax = 64 << 10
    private static let hostsBytesMax = 1 << 20
    private static let rootsBytesMax = 4 << 20
    /// MAXNS of resolv.h: what every other program asks at most.
    private static let nameServersMax = 3
    private static let knownNamesMax = 4096

    /// The addresses of this machine's interfaces, public ones too: by them a connection would come back here.
    static func ownAddresses() -> Set<IPAddress> {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return [] }
        defer { freeifaddrs(first) }
        var found: Set<IPAddress> = []
        var next = first
        for _ in 0..<interfacesMax {
            guard let entry = next else { break }
            if let address = entry.pointee.ifa_addr.flatMap(address) { found.insert(address) }
            next = entry.pointee.ifa_next
        }
        return found
    }

    private static func address(_ socket: UnsafeMutablePointer<sockaddr>) -> IPAddress? {
        let bytes = UnsafeRawPointer(socket)
        switch Int32(socket.pointee.sa_family) {
        case AF_INET: return IPAddress(networkBytes: Array(UnsafeRawBufferPointer(start: bytes + 4, count: 4)))
        case AF_INET6: return IPAddress(networkBytes: Array(UnsafeRawBufferPointer(start: bytes + 8, count: 16)))
        default: return nil
        }
    }

    /// The first name servers of resolv.conf(5); without one, this machine's own.
    static func nameServers() -> [NameServer] {
        let lines = words(of: "/etc/resolv.conf", bytesMax: resolverBytesMax)
        let named = lines.compactMap { $0.count > 1 && $0[0] == "nameserver" ? IPAddress($0[1]) : nil }
        let loopback = IPAddress.v4(IPv4Address(value: 0x7F00_0001))
        return (named.isEmpty ? [loopback] : Array(named.prefix(nameServersMax))).map { NameServer(address: $0) }
    }

    /// Names that hosts(5) gives addresses to.
    static func knownNames() -> [HostName: [IPAddress]] {
        var names: [HostName: [IPAddress]] = [:]
        for line in words(of: "/etc/hosts", bytesMax: hostsBytesMax) {
            guard let first = line.first, let address = IPAddress(first) else { continue }
            for word in line.dropFirst() {
                guard let name = try? HostName(word), names.count < knownNamesMax else { continue }
                names[name, default: []].append(address)
            }
        }
        return names
    }

    /// The root certificates that this machine trusts, PEM.
    static func roots() throws(CommandError) -> String {
        for place in TrustPlaces.bundles {
            guard let bytes = try? FileContent.read(trustedPath: place, bytesMax: rootsBytesMax),
                let text = String(validating: bytes, as: UTF8.self), text.contains(CertificateFile.beginning)
            else { continue }
            return text
        }
        throw CommandError(
            ExitStatus.failed,
            "find this machine's root certificates: none of \(TrustPlaces.bundles.joined(separator: ", ")) holds any",
            hint: "Install the package ca-certificates."
        )
    }

    /// The words of each line, without comments.
    private static func words(of path: String, bytesMax: Int) -> [[String]] {
        guard let bytes = try? FileContent.read(trustedPath: path, bytesMax: bytesMax) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { line in
            line.prefix { $0 != "#" && $0 != ";" }.split { $0 == " " || $0 == "\t" }.map(String.init)
        }
    }
}
