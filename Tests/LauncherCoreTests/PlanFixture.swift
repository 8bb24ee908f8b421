import LauncherCore

/// A plan that uses every table of the layout.
enum PlanFixture {
    static func full() -> LaunchPlan {
        var plan = LaunchPlan()
        plan.isPrivileged = true
        plan.usesTerminal = true
        plan.hostUserID = 0x7000_0001
        plan.hostGroupID = 0x7000_0001
        plan.workingDirectory = "/srv/pröject"
        plan.canary = "/var/state"
        plan.candidates = ["/usr/bin/tool", "/bin/tool"]
        plan.arguments = ["tool", "", "--flag=ü", "line\nbreak"]
        plan.environment = ["PATH=/usr/bin", "EMPTY="]
        plan.identities = [.init(userID: 0, groupID: 0), .init(userID: 1000, groupID: 100)]
        plan.operations = LaunchPlan.Operation.Kind.allCases.map { kind in
            var operation = LaunchPlan.Operation(
                kind,
                source: "source-\(kind.rawValue)",
                target: "/target/\(kind.rawValue)"
            )
            operation.content = kind == .file ? [0xFE, 0, 0xED, 0] : nil
            operation.second = "second"
            operation.third = "third"
            operation.attributes = kind.rawValue
            operation.mode = 0o700
            operation.identity = kind == .tree ? 1 : nil
            operation.isOptional = kind == .hide
            return operation
        }
        plan.limits = [.init(resource: 7, soft: 1 << 40, hard: UInt64.max)]
        plan.permissions = [.init(path: "/", access: 1), .init(path: "/tmp", access: 3)]
        plan.filter = (0..<24).map { UInt8($0) }
        plan.routes = [
            .init(.init([198, 18, 0, 0]), prefixBits: 15),
            .init(.init([253] + [UInt8](0..<15)), prefixBits: 64),
        ]
        plan.listeners = [
            .init(.init([198, 18, 0, 1]), port: 53, isDatagram: true),
            .init(.init([UInt8](repeating: 0, count: 16)), port: 65_535),
        ]
        return plan
    }
}
