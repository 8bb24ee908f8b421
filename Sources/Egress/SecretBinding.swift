import Domain

/// Where a secret may go: one host, one port, one field, and where it says so methods and a path. It is also the entry
/// that lets a run reach that host.
package struct SecretBinding: Hashable, Sendable, CustomStringConvertible {
    /// One name on one port, always over TLS.
    package let scope: NetworkRule
    package let slot: HeaderSlot

    /// Ports on which nothing is spoken that has requests to be seen.
    private static let splicedPorts: Set<UInt16> = [
        22, 25, 53, 110, 143, 389, 465, 587, 636, 993, 995, 3306, 5432, 6379,
    ]

    /// - Parameters:
    ///   - methods: nil for all; upper-case words.
    ///   - path: nil for all; it covers itself and what lies below.
    package init(
        host: String,
        port: UInt16 = 443,
        slot: HeaderSlot,
        methods: [String]? = nil,
        path: String? = nil
    ) throws(EgressRefusal) {
        guard port != 80 else {
            throw Self.refuse(
                "\(host):80 is plain HTTP, where everybody on the way reads along",
                "Bind it to port 443."
            )
        }
        guard !Self.splicedPorts.contains(port) else {
            throw Self.refuse(
                "what is spoken on port \(port) is passed on as it is, so that no field can be set in it",
                "Bind it to a port on which HTTPS is spoken, such as 443."
            )
        }
        guard !host.contains("*"), !host.contains("/"), !host.contains(":") else {
            throw Self.refuse(
                "\(EgressRefusal.quoted(host.utf8)) is not one name: a secret goes to a single host",
                "Bind it to each host by its name."
            )
        }
        guard methods != nil || path != nil else {
            scope = try NetworkRule("\(host):\(port)")
            self.slot = slot
            return
        }
        let words = methods.map { $0.joined(separator: ",") + " " } ?? ""
        scope = try NetworkRule("\(words)https://\(host):\(port)\(path ?? "/")")
        self.slot = slot
    }

    package var host: HostName { if case .exactly(let name) = scope.names { name } else { preconditionFailure() } }

    package var port: UInt16 { scope.port }

    /// True for requests that get the secret.
    package func covers(_ request: WebRequest) -> Bool {
        request.address.scheme == .https && isAt(request.address.target) && scope.covers(request)
    }

    /// True for its host and port, whatever is asked for there.
    package func isAt(_ target: ConnectTarget) -> Bool { target.port == port && target.host == .name(host) }

    package var description: String { "\(scope.text) \(slot)" }

    private static func refuse(_ problem: String, _ remedy: String) -> EgressRefusal {
        EgressRefusal(RuleID("binding-target"), problem, remedy: remedy)
    }
}
