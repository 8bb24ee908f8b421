import Glibc
import Testing

@testable import Sandbox

@Suite("the system call filter")
struct SystemCallFilterTests {
    private static let allow: UInt32 = 0x7FFF_0000
    private static func refuse(_ code: Int32) -> UInt32 { 0x0005_0000 | UInt32(code) }

    private static func answer(
        _ name: String,
        _ arguments: [UInt64] = [],
        isLive: Bool = false
    ) throws -> UInt32 {
        let rules = try SystemCallFilter.rules(boundsSharedMemory: true, refusesSetID: isLive)
        let architecture = rules.program.architecture
        let number = try #require(try FilterRules.number(of: name))
        let program = try SystemCallFilter.compile(boundsSharedMemory: true, refusesSetID: isLive)
        let machine = FilterMachine(program: program)
        return try machine.run(architecture: architecture, number: number, arguments: arguments).action
    }

    @Test("no call is both allowed and refused, or listed twice")
    func lists() {
        #expect(Set(SystemCalls.allowed).isDisjoint(with: SystemCalls.refused))
        #expect(Set(SystemCalls.allowed).count == SystemCalls.allowed.count, "no call is listed twice")
    }

    @Test("listed calls are answered as listed, and every other number as if the kernel had no such call")
    func numbers() throws {
        let program = try SystemCallFilter.compile(boundsSharedMemory: true, refusesSetID: false)
        let machine = FilterMachine(program: program)
        let rules = try SystemCallFilter.rules(boundsSharedMemory: true, refusesSetID: false)
        let architecture = rules.program.architecture
        var expected: [UInt32: UInt32] = [:]
        for name in SystemCalls.allowed { expected[try #require(try FilterRules.number(of: name))] = Self.allow }
        for name in SystemCalls.refused {
            expected[try #require(try FilterRules.number(of: name))] = Self.refuse(EPERM)
        }
        let judged = [
            "clone", "ioctl", "fcntl", "socket", "socketpair", "mknod", "mknodat", "personality", "prlimit64",
            "seccomp", "shmget", "semget",
        ]
        let byArgument = Set(try judged.compactMap { try FilterRules.number(of: $0) })
        for number in UInt32(0)..<1000 where !byArgument.contains(number) {
            let found = try machine.run(architecture: architecture, number: number)
            #expect(found.action == expected[number] ?? Self.refuse(ENOSYS), "call \(number)")
        }
        for name in ["clone3", "io_uring_setup", "userfaultfd", "keyctl", "add_key", "process_vm_writev", "vmsplice"] {
            #expect(try Self.answer(name) == Self.refuse(ENOSYS), "\(name)")
        }
    }

    struct Case: CustomTestStringConvertible {
        let name: String
        let arguments: [UInt64]
        let answer: UInt32
        var testDescription: String { "\(name) \(arguments)" }

        init(_ name: String, _ arguments: [UInt64], _ answer: UInt32) {
            self.name = name
            self.arguments = arguments
            self.answer = answer
        }
    }

    static let cases: [Case] =
        [0x5412, 0x541C, 0x5423].flatMap { request -> [Case] in
            [
                Case("ioctl", [0, request], refuse(EPERM)), Case("ioctl", [0, request | 1 << 32], refuse(EPERM)),
                Case("ioctl", [0, request - 1], allow), Case("ioctl", [0, request | 1 << 31], allow),
            ]
        } + [
            Case("ioctl", [0x5412, 0x5401, 0x5412], allow), Case("clone", [17], allow),
            Case("clone", [0x1000_0000], refuse(ENOSYS)), Case("clone", [0x0002_0011], refuse(ENOSYS)),
            Case("clone", [0x4000_0000 | 17], refuse(ENOSYS)), Case("clone", [0x003D_0F00], allow),
            Case("fcntl", [0, 1024], refuse(ENOSYS)), Case("fcntl", [0, 1026 | 1 << 40], refuse(ENOSYS)),
            Case("fcntl", [0, 1025], allow), Case("fcntl", [1024, 3], allow),
            Case("socket", [UInt64(AF_UNIX)], allow), Case("socket", [UInt64(AF_INET)], allow),
            Case("socket", [UInt64(AF_INET6)], allow), Case("socket", [UInt64(AF_NETLINK)], refuse(ENOSYS)),
            Case("socket", [40 /* AF_VSOCK */], refuse(ENOSYS)), Case("socket", [38 /* AF_ALG */], refuse(ENOSYS)),
            Case("socketpair", [UInt64(AF_UNIX)], allow), Case("socketpair", [UInt64(AF_INET)], refuse(ENOSYS)),
            Case("mknod", [0, UInt64(S_IFIFO) | 0o644], allow), Case("mknod", [0, UInt64(S_IFBLK)], refuse(ENOSYS)),
            Case("mknodat", [0, 0, UInt64(S_IFREG)], allow), Case("mknodat", [0, 0, UInt64(S_IFCHR)], refuse(ENOSYS)),
            Case("personality", [0xFFFF_FFFF], allow), Case("personality", [0x0040_0000], refuse(ENOSYS)),
            Case("prlimit64", [0], allow), Case("prlimit64", [1], refuse(ENOSYS)),
            Case("seccomp", [1, 0], allow), Case("seccomp", [1, 0x8], refuse(ENOSYS)),
            Case("seccomp", [1, 0x9], refuse(ENOSYS)), Case("shmget", [0, 0xFFFF], allow),
            Case("shmget", [0, 0x1_0000], refuse(ENOSYS)), Case("shmget", [0, 1 << 32 | 1], refuse(ENOSYS)),
            Case("semget", [0, 255], allow), Case("semget", [0, 256], refuse(ENOSYS)),
        ]

    @Test("calls that are judged by an argument", arguments: cases)
    func judgedByArgument(_ row: Case) throws {
        #expect(try Self.answer(row.name, row.arguments) == row.answer)
    }

    /// Calls that give a file its mode: where the mode stands, and what must stand before it for it to count.
    static let modes: [Case] = [
        Case("chmod", [0], 0), Case("fchmod", [0], 0), Case("fchmodat", [0, 0], 0), Case("fchmodat2", [0, 0], 0),
        Case("open", [0, UInt64(O_CREAT | O_WRONLY)], 0), Case("openat", [0, 0, UInt64(O_CREAT | O_WRONLY)], 0),
        Case("open", [0, 0o20_200_002 /* O_TMPFILE */], 0), Case("openat", [0, 0, 0o20_200_002], 0),
        Case("openat", [0, 0, 0o20_000_000 | 1 << 40], 0), Case("creat", [0], 0), Case("mkdir", [0], 0),
        Case("mkdirat", [0, 0], 0), Case("mknod", [0], 0), Case("mknodat", [0, 0], 0),
    ]

    @Test("in a live tree no call gives a file a set-id bit", arguments: modes)
    func setID(_ row: Case) throws {
        let kind = row.name.hasPrefix("mknod") ? UInt64(S_IFREG) : 0
        for bits: UInt64 in [0o4755, 0o2755, 0o6000, 0o4000 | 1 << 35] {
            let arguments = row.arguments + [bits | kind]
            #expect(try Self.answer(row.name, arguments, isLive: true) == Self.refuse(EPERM), "\(bits)")
            #expect(try Self.answer(row.name, arguments) == Self.allow, "elsewhere the gate looks")
        }
        for bits: UInt64 in [0, 0o1777, 0o755, 1 << 43] {
            #expect(try Self.answer(row.name, row.arguments + [bits | kind], isLive: true) == Self.allow, "\(bits)")
        }
    }

    @Test("in a live tree a mode that is none does not count, and one that cannot be seen is not taken")
    func modesThatAreNone() throws {
        #expect(try Self.answer("open", [0, UInt64(O_RDWR), 0o4755], isLive: true) == Self.allow)
        #expect(try Self.answer("openat", [0, 0, UInt64(O_RDWR | O_TRUNC), 0o6755], isLive: true) == Self.allow)
        #expect(try Self.answer("openat2", isLive: true) == Self.refuse(ENOSYS))
        #expect(try Self.answer("openat2") == Self.allow)
        #expect(try Self.answer("mknodat", [0, 0, UInt64(S_IFBLK)], isLive: true) == Self.refuse(ENOSYS))
        #expect(try Self.answer("write", [1, 0o4000, 0o4000], isLive: true) == Self.allow)
    }
}
