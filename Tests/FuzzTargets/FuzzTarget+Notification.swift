import Domain
import Glibc
import Sandbox

extension FuzzTarget {
    /// What the supervisor reads of a call that the kernel reports: words in somebody else's memory, wherever they
    /// point, and what the wall would say of the address or the program.
    static let notification = FuzzTarget("notification", bytesMax: 1 << 13) {
        let words = Array("tool\0--flag\0\0last".utf8)
        // Where each word begins, and the null behind them.
        let table: [UInt8] = [4, 5, 0, 0, 5, 0, 5, 5, 0, 12, 0, 0, 0]
        let places: [[UInt8]] = [
            [2, 0, 1, 187, 203, 0, 113, 9], [2, 0, 0, 80, 127, 0, 0, 1], [1, 0] + Array("/run/docker.sock".utf8),
            [1, 0, 0] + Array("name".utf8), [10, 0, 0, 22, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 15) + [1],
            [10, 0, 1, 187, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 10) + [255, 255, 10, 0, 0, 1], [40, 0, 1, 1],
        ]
        let programs = ["/usr/bin/su", "/bin/sh", "sudo", "/home/nobody/tool"].map { Array($0.utf8) }
        return places.enumerated().map { number, place in
            let program = programs[number % programs.count]
            return [UInt8(place.count)] + place + [UInt8(program.count)] + program + table
                + [5, 0, 0, 1, 128, 0x41, UInt8(number * 12), 0] + words
        }
    } prepare: {
        let memory = TargetMemory(process: getpid())
        let rules = DenialRules(request)
        return { bytes in
            var input = FuzzInput(bytes)
            let place = input.piece(atMost: SocketAddress.bytesMax)
            try checkExecution(rules, Array(input.piece().prefix { $0 != 0 }))
            let pointers = (0..<Int(input.byte() % 72)).map { _ in (kind: input.byte(), number: input.number16()) }
            let look = (kind: input.byte(), number: input.number16(), count: input.number16() % 8192)
            let padding = [UInt8](repeating: input.byte(), count: input.number16() % 20_000)
            let oracle = MemoryOracle(padding + input.rest())
            try withExtendedLifetime(oracle) {
                try oracle.check(memory, bytes: look.count, at: oracle.address(look.kind, look.number))
                try oracle.check(memory, argumentsAt: pointers.map { oracle.address($0.kind, $0.number) })
            }
            if let address = SocketAddress(place) { try check(rules, address, place) }
        }
    }

    /// Of a sandbox that shows what this process sees anyway.
    private static var request: SandboxRequest {
        SandboxRequest(
            mounts: [],
            home: .init(path: "/home/user"),
            readable: [],
            limits: ResourceLimits(),
            identity: .ordinary(userID: 1000, groupID: 1000),
            canary: "/var/state",
            userName: "user",
            run: RunID(unchecked: "r_fuzz")
        )
    }

    private static func check(_ rules: DenialRules, _ address: SocketAddress, _ bytes: [UInt8]) throws {
        let connect = rules.reaching(address, by: .connect, process: getpid())
        let bind = rules.binding(to: address)
        try promise(connect.map { $0.act == .connect } ?? true, "a connection is told as something else")
        try promise(bind.map { $0.act == .bind } ?? true, "a bind is told as something else")
        switch address {
        case .internet(let text, let isInside, let port, let octets):
            try checkInternet(text, isInside, octets, bytes)
            try promise((connect == nil) == (isInside && port != 53), "a connection to \(text) is judged wrongly")
            try promise(isInside || connect?.target == Array(text.utf8), "a denial names another address")
            try promise(!isInside || connect?.rule ?? .nameLookup == .nameLookup, "the loopback is taken for a network")
            try promise(!(1..<1024).contains(port) || bind?.rule == .bindLowPort, "a low port may be had")
            try promise(port >= 1024 || port == 0 || bind != nil, "a bind of \(text) is judged wrongly")
            try promise(!isInside || bind?.rule != .bindHostAddress, "the loopback is taken for the host's")
        case .path(let path):
            try promise(!path.isEmpty && !path.contains(0), "a path holds a zero")
            try promise(bind == nil, "a bind of a path is told as denied")
            guard let connect else { return }
            let isHost = connect.rule == .hostSocket && connect.target == path
            try promise(isHost || connect.rule == .nameLookup, "a denial names another socket")
            try promise(!exists(path), "a socket that is there is told as denied")
        case .abstract: try promise(connect == nil && bind == nil, "a name of the sandbox's own is told as denied")
        case .family(let family):
            try promise(family != 0 && bytes.count >= 2, "a family comes from nowhere")
            try promise((connect?.rule ?? .socketFamily) == .socketFamily, "a family is told as something else")
            try promise(connect?.target == bind?.target, "a family has two names")
        }
    }

    private static func checkInternet(_ text: String, _ isInside: Bool, _ octets: [UInt8], _ bytes: [UInt8]) throws {
        let isFour = octets.count == 4
        try promise(Array(bytes.dropFirst(isFour ? 4 : 8).prefix(octets.count)) == octets, "an address was changed")
        let port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        try promise(text.hasSuffix(":\(port)"), "a port is shown as another: \(text)")
        let host = text.dropLast(":\(port)".count)
        let plain = String(isFour ? host : host.dropFirst().dropLast())
        var parsed = [UInt8](repeating: 0, count: 16)
        let family = isFour ? AF_INET : AF_INET6
        try promise(inet_pton(family, plain, &parsed) == 1, "an address cannot be read back: \(text)")
        try promise(Array(parsed.prefix(octets.count)) == octets, "an address is shown as another: \(text)")
        let mapped = [UInt8](repeating: 0, count: 10) + [255, 255]
        let four = isFour ? octets : octets.starts(with: mapped) ? Array(octets.dropFirst(12)) : nil
        let expected = four.map { $0[0] == 127 || $0 == [0, 0, 0, 0] } ?? ["::", "::1"].contains(plain)
        try promise(isInside == expected, "\(text) is taken for another network's")
    }

    /// This process's root is the host's, so that nothing is hidden from it.
    private static func checkExecution(_ rules: DenialRules, _ path: [UInt8]) throws {
        guard let denial = rules.executing(path, process: getpid()) else { return }
        try promise(path.first == UInt8(ascii: "/"), "a relative path is told as denied")
        try promise(denial.act == .execute && denial.target == path, "a denial names another program")
        try promise(denial.rule == .noPrivilege && exists(path), "a program that is not there is told as denied")
    }

    private static func exists(_ path: [UInt8]) -> Bool { access(path.map(CChar.init(bitPattern:)) + [0], F_OK) == 0 }
}
