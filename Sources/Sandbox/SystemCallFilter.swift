import CSeccomp
import Glibc

/// Compiles ``SystemCalls`` into the classic BPF program that the kernel runs at every system call.
enum SystemCallFilter {
    private static let allow: UInt32 = 0x7FFF_0000
    private static func refuse(_ code: Int32) -> UInt32 { 0x0005_0000 | UInt32(code) }
    /// Powers of two that the size of shared memory, and the number of semaphores in a set, stay below.
    private static let sharedBytesEnd: UInt32 = 1 << 16
    private static let semaphoresEnd: UInt32 = 1 << 8

    /// Throws if a call of the list is not known by name: a filter with a hole is never returned.
    ///
    /// - Parameters:
    ///   - boundsSharedMemory: nothing else counts what outlives its process: shared memory and semaphores of System V
    ///     are then only to be had in the small sizes that databases use as marks.
    ///   - refusesSetID: for a live tree, where a set-uid file is one of its owner's, at once and for everybody.
    static func compile(boundsSharedMemory: Bool, refusesSetID: Bool) throws(SandboxError) -> [UInt8] {
        let program = try rules(boundsSharedMemory: boundsSharedMemory, refusesSetID: refusesSetID).program
        guard let bytes = program.assembled() else {
            throw failure("fit it into \(FilterProgram.instructionsMax) steps")
        }
        return bytes
    }

    /// Every rule, in the order in which those of one call are tried.
    static func rules(boundsSharedMemory: Bool, refusesSetID: Bool) throws(SandboxError) -> FilterRules {
        var rules = FilterRules(architecture: seccomp_arch_native(), defaultAction: refuse(ENOSYS))
        if refusesSetID { try addSetIDRules(&rules) }
        // The mode that openat2 is given lies in memory that a filter cannot read; programs fall back on openat.
        for name in SystemCalls.allowed where !refusesSetID || name != "openat2" { try rules.add(allow, name) }
        for name in SystemCalls.refused { try rules.add(refuse(EPERM), name) }
        try addArgumentRules(&rules)
        if boundsSharedMemory {
            try rules.add(allow, "shmget", where: 1, isBelow: sharedBytesEnd)
            try rules.add(allow, "semget", where: 1, mask: ~(semaphoresEnd - 1), is: [0])
        } else {
            for name in ["shmget", "semget"] { try rules.add(allow, name) }
        }
        return rules
    }

    /// Tried before the rules that allow these calls.
    private static func addSetIDRules(_ rules: inout FilterRules) throws(SandboxError) {
        // Opened without one of these, a file is not made, and what lies in the mode's register is anything.
        let making: UInt32 = 0o100 /* O_CREAT */ | 0o20_000_000 /* __O_TMPFILE */
        for call in [("open", UInt32(1)), ("openat", UInt32(2))] {
            try rules.add(allow, call.0, where: call.1, mask: making, is: [0])
        }
        let calls: [(name: String, mode: UInt32)] = [
            ("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("fchmodat2", 2), ("open", 2), ("openat", 3), ("creat", 1),
            ("mkdir", 1), ("mkdirat", 2), ("mknod", 1), ("mknodat", 2),
        ]
        for call in calls {
            try rules.add(refuse(EPERM), call.name, where: call.mode, mask: 0o6000, is: [0o2000, 0o4000, 0o6000])
        }
    }

    private static func addArgumentRules(_ rules: inout FilterRules) throws(SandboxError) {
        // Namespaces: none. clone3 stays ENOSYS, because its flags lie in memory that a filter cannot read.
        try rules.add(allow, "clone", where: 0, mask: 0x7E02_0000, is: [0])
        // Pushing characters into a terminal or its clipboard. The kernel reads 32 bits of the request, so do we.
        try rules.add(refuse(EPERM), "ioctl", where: 1, is: [0x5412 /* TIOCSTI */, 0x541C /* TIOCLINUX */])
        try rules.add(refuse(EPERM), "ioctl", where: 1, is: [0x5423 /* TIOCSETD */])
        try rules.add(allow, "ioctl")
        // A lease on a file of the host would hold up its writers outside; a notification asks for signals about them.
        try rules.add(refuse(ENOSYS), "fcntl", where: 1, is: [1024 /* F_SETLEASE */, 1026 /* F_NOTIFY */])
        try rules.add(allow, "fcntl")
        try rules.add(allow, "socket", where: 0, is: [AF_UNIX, AF_INET, AF_INET6].map { UInt32($0) })
        try rules.add(allow, "socketpair", where: 0, is: [UInt32(AF_UNIX)])
        // Device nodes are never made; pipes, sockets and plain files are.
        for call in [("mknod", UInt32(1)), ("mknodat", UInt32(2))] {
            try rules.add(allow, call.0, where: call.1, mask: S_IFMT, is: [0, S_IFREG, S_IFIFO, S_IFSOCK])
        }
        // The personalities that are ordinary: Linux, its query, and without address randomisation (sanitizers).
        try rules.add(allow, "personality", where: 0, is: [0, 0xFFFF_FFFF, 0x4_0000])
        // Limits of the caller itself: the kernel lets a process of the same user change those of the sandbox's init.
        try rules.add(allow, "prlimit64", where: 0, is: [0])
        // Filters of its own, yes; a listener that answers for other processes, no (SECCOMP_FILTER_FLAG_NEW_LISTENER).
        try rules.add(allow, "seccomp", where: 1, mask: 0x8, is: [0])
    }

    fileprivate static func failure(_ what: String) -> SandboxError {
        SandboxError(
            .setup,
            "compile the system call filter: could not \(what)",
            hint: "Install libseccomp 2.5 or newer."
        )
    }
}

/// A filter program that is filled by the names of system calls.
struct FilterRules {
    private(set) var program: FilterProgram

    init(architecture: UInt32, defaultAction: UInt32) {
        program = FilterProgram(architecture: architecture, defaultAction: defaultAction)
    }

    /// Adds a rule that always holds.
    mutating func add(_ action: UInt32, _ name: String) throws(SandboxError) {
        try add(.init(conditions: [], action: action), name)
    }

    /// Adds a rule that holds where an argument, under the mask, is one of the values.
    mutating func add(
        _ action: UInt32,
        _ name: String,
        where argument: UInt32,
        mask: UInt32 = .max,
        is values: [UInt32]
    ) throws(SandboxError) {
        for value in values {
            let condition = FilterProgram.Condition(argument: argument, mask: mask, value: value)
            try add(.init(conditions: [condition], action: action), name)
        }
    }

    /// Adds a rule that holds where an argument of 64 bits is below a power of two.
    mutating func add(
        _ action: UInt32,
        _ name: String,
        where argument: UInt32,
        isBelow powerOfTwo: UInt32
    ) throws(SandboxError) {
        let conditions = [
            FilterProgram.Condition(argument: argument, mask: ~(powerOfTwo - 1), value: 0),
            FilterProgram.Condition(argument: argument, isUpperHalf: true, mask: .max, value: 0),
        ]
        try add(.init(conditions: conditions, action: action), name)
    }

    private mutating func add(_ rule: FilterProgram.Rule, _ name: String) throws(SandboxError) {
        guard let number = try Self.number(of: name) else { return }
        program.add(number, rule)
    }

    /// Nil for a call that only other architectures have.
    static func number(of name: String) throws(SandboxError) -> UInt32? {
        var number = seccomp_syscall_resolve_name(name)
        if number == -1 /* __NR_SCMP_ERROR */ {
            guard let known = SystemCalls.numbers[name] else {
                throw SystemCallFilter.failure("find the call \(name)")
            }
            number = known
        }
        // Calls of other architectures only have negative pseudo numbers here.
        return number >= 0 ? UInt32(number) : nil
    }
}
