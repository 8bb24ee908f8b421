import CLinux
import CSeccomp
import Files
import Glibc

/// Compiles ``SystemCalls`` into the classic BPF program that the kernel runs at every system call.
enum SystemCallFilter {
    private static let allow: UInt32 = 0x7FFF_0000
    private static func refuse(_ code: Int32) -> UInt32 { 0x0005_0000 | UInt32(code) }

    /// Throws if libseccomp refuses a rule: a filter with a hole is never returned.
    ///
    /// - Parameter boundsSharedMemory: nothing else counts what outlives its process: shared memory and semaphores of
    ///   System V are then only to be had in the small sizes that databases use as marks.
    static func compile(boundsSharedMemory: Bool) throws(SandboxError) -> [UInt8] {
        guard let context = seccomp_init(refuse(ENOSYS)) else { throw failure("make a context", ENOMEM) }
        defer { seccomp_release(context) }
        let rules = FilterRules(context: context)
        for name in SystemCalls.allowed { try rules.add(allow, name) }
        for name in SystemCalls.refused { try rules.add(refuse(EPERM), name) }
        try addArgumentRules(rules)
        let bounds: [FilterRules.Argument] = boundsSharedMemory ? [.masked(1, mask: ~0xFFFF, equals: 0)] : []
        try rules.add(allow, "shmget", bounds)
        let fewSemaphores: [FilterRules.Argument] = boundsSharedMemory ? [.masked(1, mask: 0xFFFF_FF00, equals: 0)] : []
        try rules.add(allow, "semget", fewSemaphores)
        return try export(context)
    }

    private static func addArgumentRules(_ rules: FilterRules) throws(SandboxError) {
        // Namespaces: none. clone3 stays ENOSYS, because its flags lie in memory that a filter cannot read.
        let namespaces: UInt64 = 0x7E02_0000
        try rules.add(allow, "clone", [.masked(0, mask: namespaces, equals: 0)])
        // Pushing characters into a terminal or its clipboard. The kernel reads 32 bits of the request, so do we.
        let terminalAttacks: [UInt64] = [0x5412 /* TIOCSTI */, 0x541C /* TIOCLINUX */, 0x5423 /* TIOCSETD */]
        for request in terminalAttacks {
            try rules.add(refuse(EPERM), "ioctl", [.masked(1, mask: 0xFFFF_FFFF, equals: request)])
        }
        for block in Self.blocks(without: terminalAttacks) {
            try rules.add(allow, "ioctl", [.masked(1, mask: block.mask, equals: block.value)])
        }
        // A lease on a file of the host would hold up its writers outside; a notification asks for signals about them.
        for block in Self.blocks(without: [1024 /* F_SETLEASE */, 1026 /* F_NOTIFY */]) {
            try rules.add(allow, "fcntl", [.masked(1, mask: block.mask, equals: block.value)])
        }
        for family in [AF_UNIX, AF_INET, AF_INET6] {
            try rules.add(allow, "socket", [.masked(0, mask: 0xFFFF_FFFF, equals: UInt64(family))])
        }
        try rules.add(allow, "socketpair", [.masked(0, mask: 0xFFFF_FFFF, equals: UInt64(AF_UNIX))])
        // Device nodes are never made; pipes, sockets and plain files are.
        for call in [("mknod", UInt32(1)), ("mknodat", UInt32(2))] {
            for kind: UInt32 in [0, S_IFREG, S_IFIFO, S_IFSOCK] {
                try rules.add(allow, call.0, [.masked(call.1, mask: UInt64(S_IFMT), equals: UInt64(kind))])
            }
        }
        // The personalities that are ordinary: Linux, its query, and without address randomisation (sanitizers).
        for persona: UInt64 in [0, 0xFFFF_FFFF, 0x4_0000] {
            try rules.add(allow, "personality", [.masked(0, mask: 0xFFFF_FFFF, equals: persona)])
        }
        // Limits of the caller itself: the kernel lets a process of the same user change those of the sandbox's init.
        try rules.add(allow, "prlimit64", [.masked(0, mask: 0xFFFF_FFFF, equals: 0)])
        // Filters of its own, yes; a listener that answers for other processes, no (SECCOMP_FILTER_FLAG_NEW_LISTENER).
        try rules.add(allow, "seccomp", [.masked(1, mask: 0x8, equals: 0)])
    }

    /// All 32-bit numbers but `excluded`, as blocks that share their leading bits. libseccomp has no masked "not
    /// equal", and a plain one would let a request with high bits through that the kernel then cuts off.
    static func blocks(without excluded: [UInt64]) -> [(mask: UInt64, value: UInt64)] {
        var found: [(mask: UInt64, value: UInt64)] = []
        func cover(_ value: UInt64, freeBits: UInt64) {
            let mask: UInt64 = (0xFFFF_FFFF << freeBits) & 0xFFFF_FFFF
            guard excluded.contains(where: { $0 & mask == value }) else {
                found.append((mask, value))
                return
            }
            guard freeBits > 0 else { return }
            cover(value, freeBits: freeBits - 1)
            cover(value | 1 << (freeBits - 1), freeBits: freeBits - 1)
        }
        cover(0, freeBits: 32)
        return found
    }

    private static func export(_ context: scmp_filter_ctx) throws(SandboxError) -> [UInt8] {
        do throws(SystemError) {
            let raw = try SystemError.check("memfd_create", bailey_memfd_create("bailey-filter", 0))
            let file = Descriptor(owning: raw)
            let code = seccomp_export_bpf(context, file.raw)
            guard code == 0 else { throw SystemError("seccomp_export_bpf", code: -code) }
            _ = try SystemError.check("lseek", lseek(file.raw, 0, SEEK_SET))
            return try FileContent.read(file, bytesMax: 1 << 20)
        } catch {
            throw failure("export the program", error.code)
        }
    }

    fileprivate static func failure(_ what: String, _ code: Int32) -> SandboxError {
        SandboxError(
            .setup,
            "compile the system call filter: could not \(what): \(String(cString: strerror(code)))",
            hint: "Install libseccomp 2.5 or newer."
        )
    }
}

private struct FilterRules {
    enum Argument {
        case masked(UInt32, mask: UInt64, equals: UInt64)
    }

    let context: scmp_filter_ctx

    func add(_ action: UInt32, _ name: String, _ arguments: [Argument] = []) throws(SandboxError) {
        var number = seccomp_syscall_resolve_name(name)
        if number == -1 /* __NR_SCMP_ERROR */ {
            guard let known = SystemCalls.numbers[name] else {
                throw SystemCallFilter.failure("resolve \(name)", ENOENT)
            }
            number = known
        }
        // Calls of other architectures only have negative pseudo numbers here.
        guard number >= 0 else { return }
        let comparisons = arguments.map { argument in
            switch argument {
            case .masked(let index, let mask, let value):
                scmp_arg_cmp(arg: index, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: value)
            }
        }
        let code = seccomp_rule_add_array(context, action, number, UInt32(comparisons.count), comparisons)
        guard code == 0 else { throw SystemCallFilter.failure("add a rule for \(name)", -code) }
    }
}
