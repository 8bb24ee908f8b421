/// Something that a command tried and that the wall refuses, told once however often it was tried.
package struct Denial: Sendable, Equatable {
    package enum Act: String, Sendable, CaseIterable {
        case execute, connect, send, bind
    }

    /// Which wall stands there.
    package enum Rule: String, Sendable, CaseIterable {
        case networkNone = "network-none"
        case nameLookup = "name-lookup"
        case hostSocket = "host-socket"
        case socketFamily = "socket-family"
        case bindLowPort = "bind-low-port"
        case bindHostAddress = "bind-host-address"
        case noPrivilege = "no-privilege"
        case notVisible = "not-visible"

        /// What would allow it, as a sentence for a person and a model; it ends without a stop.
        package var remedy: StaticString {
            switch self {
            case .networkNone:
                "an operator lists the name under network: allow, or --allow-host NAME does; then connect by that name"
            case .nameLookup:
                "an operator lists the name under network: allow, or --allow-host NAME does"
            case .hostSocket:
                "nothing lends the host's services to a command; do it outside the sandbox"
            case .socketFamily: "nothing; only local, IPv4 and IPv6 sockets exist inside"
            case .bindLowPort: "nothing; listen on a port from 1024 on"
            case .bindHostAddress: "nothing; listen on the loopback, which is the command's own"
            case .noPrivilege:
                "nothing; set-user-id has no effect inside, so install what is missing outside the sandbox"
            case .notVisible: "--readable PATH shows it to the command"
            }
        }
    }

    package let act: Act
    /// An address or a path, raw: it leaves memory only through a redactor.
    package let target: [UInt8]
    package let rule: Rule
    /// Who tried it first: the id inside and what that process had executed.
    package var process: Int32?
    package var path: [UInt8]?
    package var count: UInt64 = 1

    package init(_ act: Act, _ target: [UInt8], _ rule: Rule) {
        self.act = act
        self.target = target
        self.rule = rule
    }
}
