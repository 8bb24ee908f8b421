import Domain
import Egress
import Policy

/// Which secrets a run is to have: the operator's, the command line's, and what a recipe asks for, without a
/// contradiction. No value has been read yet.
struct SecretPlan: Sendable {
    private(set) var requests: [SecretRequest] = []

    private static let secretsMax = 64
    private static let bindingsMax = 256

    /// - Parameters:
    ///   - options: the values of `--secret`.
    ///   - plain: what may be reached beside the bindings, as somebody listed it.
    ///   - extra: what a recipe asks for. Where the operator or the command line has said something of a host, that
    ///     stands.
    static func make(
        _ configuration: Configuration,
        options: [String],
        plain: [NetworkRule],
        extra: [SecretRequest] = []
    ) throws(CommandError) -> SecretPlan {
        var plan = SecretPlan()
        for setting in configuration.secrets { try plan.add(setting, origin: "secrets") }
        for text in options {
            let setting = try SecretOption.read(text, isForge: configuration.isForge)
            try plan.add(setting, origin: SecretOption.name)
        }
        for request in extra { plan.add(request) }
        try plan.check(plain)
        return plan
    }

    /// Refuses `--env` of what must not be seen inside.
    func checkEnvironment(_ entries: [String]) throws(CommandError) {
        for entry in entries {
            let name = String(entry.prefix { $0 != "=" })
            guard requests.contains(where: { $0.name == name || $0.name + "_FILE" == name }) else { continue }
            throw CommandError(
                ExitStatus.usage,
                "read --env \(name): it is a secret of this run, and inside only what stands for it is seen",
                hint: "Leave --env \(name) out; the variable is set inside already."
            )
        }
    }

    /// One more place for a secret. Its value comes from one source.
    private mutating func add(_ setting: SecretSetting, origin: String) throws(CommandError) {
        guard let place = requests.firstIndex(where: { $0.name == setting.name }) else {
            requests.append(
                SecretRequest(
                    name: setting.name,
                    source: setting.source,
                    bindings: [setting.binding],
                    origin: origin
                )
            )
            return
        }
        // `--secret` says nothing of where the value is found, so what the configuration says holds.
        guard requests[place].source == setting.source || setting.source == .variable && origin == SecretOption.name
        else {
            throw CommandError(
                ExitStatus.failed,
                "plan the secret \(setting.name): its entries name two places for its value",
                hint: "Write the same file or command into each entry of the secret, or give one another name."
            )
        }
        if !requests[place].bindings.contains(setting.binding) { requests[place].bindings.append(setting.binding) }
    }

    private mutating func add(_ request: SecretRequest) {
        let said = requests.flatMap(\.bindings)
        let open = request.bindings.filter { binding in
            !said.contains { $0.host == binding.host && $0.port == binding.port }
        }
        guard !open.isEmpty else { return }
        if let place = requests.firstIndex(where: { $0.name == request.name }) {
            requests[place].bindings += open
        } else {
            var request = request
            request.bindings = open
            requests.append(request)
        }
    }

    private func check(_ plain: [NetworkRule]) throws(CommandError) {
        guard requests.count <= Self.secretsMax, requests.reduce(0, { $0 + $1.bindings.count }) <= Self.bindingsMax
        else {
            throw CommandError(
                ExitStatus.failed,
                "plan the secrets: there are more than \(Self.secretsMax), or more than \(Self.bindingsMax) places",
                hint: "Remove some."
            )
        }
        let all = requests.flatMap { request in request.bindings.map { (name: request.name, binding: $0) } }
        for (index, first) in all.enumerated() {
            if let rule = plain.first(where: first.binding.isInClear) { throw inClear(first.name, rule) }
            for second in all[(index + 1)...] where first.binding.overlaps(second.binding) {
                throw first.name == second.name
                    ? twoSlots(first.name, first.binding, second.binding)
                    : twoSecrets(first.name, second.name, first.binding)
            }
        }
    }

    private func inClear(_ name: String, _ rule: NetworkRule) -> CommandError {
        CommandError(
            ExitStatus.failed,
            "plan the secret \(name): \(Printable.text(rule.text)) lets its host be reached in plain HTTP on its port",
            hint: "List https:// there, or bind the secret to another port."
        )
    }

    private func twoSlots(_ name: String, _ first: SecretBinding, _ second: SecretBinding) -> CommandError {
        CommandError(
            ExitStatus.failed,
            "plan the secret \(name): on \(first.host):\(first.port) it is bound twice, to \(first.slot) and to "
                + "\(second.slot), for the same requests",
            hint: "A request carries a secret in one place: keep one binding, or give each a method or path of its own."
        )
    }

    private func twoSecrets(_ name: String, _ other: String, _ binding: SecretBinding) -> CommandError {
        CommandError(
            ExitStatus.failed,
            "plan the secrets \(name) and \(other): both are bound to \(binding.host):\(binding.port) for the same "
                + "requests",
            hint: "A request gets one secret: remove one binding, or give each a method or path of its own."
        )
    }
}
