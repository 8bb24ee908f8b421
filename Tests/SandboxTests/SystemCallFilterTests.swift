import Glibc
import Testing

@testable import Sandbox

@Suite("the system call filter")
struct SystemCallFilterTests {
    private static let allow: UInt32 = 0x7FFF_0000
    private static func refuse(_ code: Int32) -> UInt32 { 0x0005_0000 | UInt32(code) }

    private static func answer(_ name: String, _ arguments: [UInt64] = []) throws -> UInt32 {
        let architecture = try SystemCallFilter.rules(boundsSharedMemory: true).program.architecture
        let number = try #require(try FilterRules.number(of: name))
        let machine = FilterMachine(program: try SystemCallFilter.compile(boundsSharedMemory: true))
        return try machine.run(architecture: architecture, number: number, arguments: arguments).action
    }

    @Test("no call is both allowed and refused, or listed twice")
    func lists() {
        #expect(Set(SystemCalls.allowed).isDisjoint(with: SystemCalls.refused))
        #expect(Set(SystemCalls.allowed).count == SystemCalls.allowed.count, "no call is listed twice")
    }

    @Test("listed calls are answered as listed, and every other number as if the kernel had no such call")
    func numbers() throws {
        let machine = FilterMachine(program: try SystemCallFilter.compile(boundsSharedMemory: true))
        let architecture = try SystemCallFilter.rules(boundsSharedMemory: true).program.architecture
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
}
