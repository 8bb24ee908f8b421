import CLinux
import Files
import Glibc
import Workspace

/// Builds from an input what a command could leave behind: hostile names, modes, links, nodes and whiteouts.
enum HostileTree {
    private static let stepsMax = 48
    private static let depthMax = 8

    /// Each is one trick that is known to have run code somewhere.
    static let seeds: [[UInt8]] = [
        [0, 0, name(".git"), 0, name("hooks"), 2, name("pre-commit"), 7, 0],
        [1, 0, name(".git"), 2, name("config"), 1, 0],
        [0, 2, name("main"), 3, 1, 3, name("a"), 2, 4, name("src"), 0, name("sub"), 2, name("HEAD"), 0, 0],
        [0, 0, name("sub"), 2, name("HEAD"), 0, 0, 0, name("objects"), 1, 0, name("refs"), 1, 2, name("config"), 1, 0],
        [0, 0, name("sub"), 2, name(".git"), 2, 0, 6, name("p"), 7, name("n"), 5, 4, name("a")],
        [1, 0, name(".git"), 0, name("refs"), 0, name("heads"), 2, name("main"), 4, 0],
        [0, 0, name(".bailey"), 2, name("a"), 0, 0, 1, 2, name("bailey.yml"), 0, 0, 3, name("l"), 0, 3, name("m"), 4],
    ]

    private static func name(_ text: String) -> UInt8 { UInt8(names.firstIndex(of: Array(text.utf8)) ?? 0) }

    private static let names: [[UInt8]] =
        [
            "a", ".git", "hooks", "config", "HEAD", "objects", "refs", "heads", "main", "pre-commit", "info", "modules",
            "worktrees", "index", "packed-refs", "commondir", "gitdir", "logs", "alternates", "config.worktree", ".GIT",
            ".gi\u{200C}t", "git~1", ".git ", ".git.", ".git::$INDEX_ALLOCATION", ".gitmodules", ".gitattributes",
            ".bailey",
            "bailey.yml", ".env", "id_rsa", "src", "deep", "sub", "bare", "vendor", "tools", "-rf", "\u{202E}txt",
            "new\nline",
            "b\\c", ".vscode", "Makefile", "p", "n", "l", "m", "a.txt", "ab", "pack", "ORIG_HEAD", "shallow",
        ].map { (text: String) in Array(text.utf8) } + [[0xFF, 0xFE], Array(repeating: 0x6E, count: 255)]

    private static let contents: [[UInt8]] =
        ["ref: refs/heads/main\n", "[core]\n\tfsmonitor = x\n", "gitdir: ../.git\n", "", "x", "\u{0}\u{0}"]
        .map { (text: String) in Array(text.utf8) } + [Array(repeating: 0x61, count: 40) + [0x0A]]

    private static let targets: [[UInt8]] =
        [
            "/etc/passwd", "../../outside", "a.txt", ".git/hooks", "../.git/config", "/usr/bin/env", "/usr/../etc",
            ".env",
            "src/../../x", ".", "/proc/self/root", "bare", ".bailey/x",
        ].map { (text: String) in Array(text.utf8) } + [[0xFF], Array(repeating: 0x61, count: 300)]

    private static let modes: [UInt32] = [0o644, 0o755, 0o4755, 0o2755, 0o6711, 0o000, 0o666, 0o1777, 0o600]

    static func build(_ input: inout FuzzInput, in tree: WorkspaceTree) throws {
        var path = [tree.changed]
        for _ in 0..<stepsMax where !input.isAtEnd {
            let place = try Directory(trustedPath: path.joined(separator: "/"))
            do throws(SystemError) {
                switch input.byte() % 10 {
                case 0:
                    let name = anyName(&input)
                    _ = try place.makeDirectoryIfAbsent(name, mode: 0o755)
                    guard path.count < depthMax, let text = String(validating: name, as: UTF8.self) else { break }
                    _ = try place.directory(name)
                    path.append(text)
                case 1: if path.count > 1 { path.removeLast() }
                case 2: try makeFile(anyName(&input), &input, in: place)
                case 3: try place.makeSymbolicLink(anyName(&input), to: target(&input))
                case 4: if tree.isOverlay { try place.makeWhiteout(anyName(&input)) }
                case 5: if tree.isOverlay { setOpaque(place) }
                case 6: makeNode(anyName(&input), S_IFIFO, in: place)
                case 7: makeNode(anyName(&input), S_IFCHR, in: place)
                case 8: try place.setOwnMode(input.pick([0o700, 0o755, 0o2755, 0o1777, 0o777]))
                default: path.removeSubrange(1...)
                }
            } catch {
                // What the kernel refuses, such as a name that is taken, no command could have left either.
            }
        }
    }

    private static func anyName(_ input: inout FuzzInput) -> [UInt8] {
        let choice = Int(input.byte())
        if choice < names.count { return names[choice] }
        let own = input.piece(atMost: 24).filter { $0 != 0 && $0 != UInt8(ascii: "/") }
        return own.isEmpty || own.allSatisfy { $0 == UInt8(ascii: ".") } ? names[choice % names.count] : own
    }

    private static func target(_ input: inout FuzzInput) -> [UInt8] {
        let choice = Int(input.byte())
        if choice < targets.count { return targets[choice] }
        let own = input.piece(atMost: 40).filter { $0 != 0 }
        return own.isEmpty ? targets[choice % targets.count] : own
    }

    private static func makeFile(
        _ name: [UInt8],
        _ input: inout FuzzInput,
        in place: borrowing Directory
    ) throws(SystemError) {
        let choice = Int(input.byte())
        let content = choice < contents.count * 2 ? contents[choice % contents.count] : input.piece()
        let mode = input.pick(modes)
        let file = try place.open(name, flags: O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK, mode: 0o600)
        try FileContent.write(content, to: file.raw)
        _ = fchmod(file.raw, mode)
    }

    /// Only root may make devices; then there is none.
    private static func makeNode(_ name: [UInt8], _ kind: mode_t, in place: borrowing Directory) {
        let device: dev_t = kind == S_IFCHR ? 1 << 8 | 3 : 0
        (name + [0]).withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { path in
                if let start = path.baseAddress { _ = mknodat(place.raw, start, kind | 0o644, device) }
            }
        }
    }

    /// What the kernel writes on a directory that was removed and made again.
    private static func setOpaque(_ place: borrowing Directory) {
        _ = "y".withCString { bailey_fsetxattr(place.raw, "user.overlay.opaque", $0, 1) }
    }
}
