import BrokerLink
import Domain
import Files
import Glibc
import LauncherCore

/// What of the host's system is shown, and the few questions about it that composing a view asks.
enum SystemPaths {
    /// Files of `/etc` up to this size travel in the plan; larger ones are mounted. A copy is cheaper than a mount.
    static let copiedBytesMax = 8192

    /// Names below `/etc` that programs need and that tell nothing of this machine's secrets.
    private static let names = [
        "alternatives", "ca-certificates", "ca-certificates.conf", "crypto-policies", "debian_version", "fonts",
        "host.conf", "inputrc", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "locale.alias", "locale.conf", "localtime",
        "lsb-release", "magic", "magic.mime", "manpath.config", "maven", "mime.types", "networks", "openssl",
        "os-release",
        "perl", "pki", "profile", "protocols", "redhat-release", "rpc", "services", "sgml", "shells", "ssl/certs",
        "ssl/openssl.cnf", "terminfo", "timezone", "vim", "bash.bashrc", "groff", "gai.conf", "xattr.conf", "xdg",
        "xml",
        "R", "php", "ImageMagick-6", "ImageMagick-7",
    ]
    private static let prefixes = ["java-", "python", "openjdk"]

    static func configuration() -> [String] {
        guard let etc = try? Directory(trustedPath: "/etc"), let entries = try? etc.entries(atMost: 4096) else {
            return names
        }
        let present = Set(entries.map { String(decoding: $0.name, as: UTF8.self) })
        let versioned = present.filter { name in prefixes.contains { name.hasPrefix($0) } }
        return names.filter { name in present.contains(String(name.prefix { $0 != "/" })) } + versioned.sorted()
    }

    /// The files that say who and where one is. Names are asked of the broker, and where there is none of nobody.
    static func ownConfiguration(_ request: SandboxRequest) -> [(name: String, content: String)] {
        let user = request.identity.insideUserID
        let group = request.identity.insideGroupID
        let home = request.home.path
        return [
            (
                "passwd",
                "root:x:0:0:root:/nonexistent:/usr/sbin/nologin\n"
                    + "\(request.userName):x:\(user):\(group)::\(home):/bin/sh\n"
                    + "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
            ),
            ("group", "root:x:0:\n\(request.userName):x:\(group):\nnogroup:x:65534:\n"),
            ("hosts", "127.0.0.1 localhost bailey\n::1 localhost ip6-localhost ip6-loopback\n"),
            ("hostname", "bailey\n"),
            ("resolv.conf", resolverConfiguration(request)),
            (
                // Where a name server is asked in vain, the record says that a name was looked up. The files behind
                // it have the last word, so that programs hear "no such name" and not "try again".
                "nsswitch.conf",
                "passwd: files\ngroup: files\nshadow: files\nhosts: files dns files\nservices: files\n"
                    + "protocols: files\n"
            ),
        ]
    }

    /// Names are written whole inside, and an answer that does not come is none.
    private static func resolverConfiguration(_ request: SandboxRequest) -> String {
        guard request.hasNetwork else { return "# No network.\n" }
        return "nameserver \(SandboxNetwork.brokerText)\noptions timeout:5 attempts:2\n"
    }

    /// A link's target made absolute, if the path is a symbolic link whose end lies in what the view shows anyway.
    static func linkTarget(_ path: String) -> String? {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else { return nil }
        return visibleEnd(of: path)
    }

    private static func visibleEnd(of path: String) -> String? {
        guard let end = resolved(path) else { return nil }
        let visible = ["/usr/", "/opt/", "/etc/alternatives/"]
        return visible.contains { end.hasPrefix($0) } ? end : nil
    }

    /// How a place of the host is shown.
    enum Showing {
        /// A link to what the view shows anyway.
        case link(to: String)
        /// The content of a small file that everybody may read and that is text.
        case content(String)
        case tree
    }

    /// How the names of ``configuration()`` are shown; what is not there is left out.
    static func showings() throws(SystemError) -> [(path: String, showing: Showing)] {
        let root = try Directory(trustedPath: "/")
        var found: [(path: String, showing: Showing)] = []
        for name in configuration() {
            let path = "/etc/" + name
            if let showing = showing(path, in: root) { found.append((path, showing)) }
        }
        return found
    }

    private static func showing(_ path: String, in root: borrowing Directory) -> Showing? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFLNK: return visibleEnd(of: path).map { .link(to: $0) } ?? .tree
        case S_IFREG where status.st_mode & 0o004 != 0 && status.st_size <= copiedBytesMax:
            return text(path, in: root).map { .content($0) } ?? .tree
        default: return .tree
        }
    }

    private static func text(_ path: String, in root: borrowing Directory) -> String? {
        guard let bytes = try? FileContent.read(Array(path.utf8.dropFirst()), in: root, bytesMax: copiedBytesMax),
            !bytes.contains(0)
        else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    static func resolved(_ path: String) -> String? {
        guard let pointer = realpath(path, nil) else { return nil }
        defer { free(pointer) }
        return String(cString: pointer)
    }

    static func owner(_ path: String) -> LaunchPlan.Identity? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        return LaunchPlan.Identity(userID: status.st_uid, groupID: status.st_gid)
    }
}
