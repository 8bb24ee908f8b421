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
        return plan
    }

    /// Reads everything that a view can give, and so touches every byte that it believes in.
    static func readAll(_ view: LaunchPlanView) -> Int {
        var total = view.filterBytes
        func add(_ text: UnsafePointer<CChar>) { total += String(cString: text).utf8.count }
        for text in [view.hostName, view.workingDirectory, view.canary] { add(text) }
        for row in 0..<view.candidateCount { add(view.candidate(row)) }
        for row in 0..<view.argumentCount { add(view.argument(row)) }
        for row in 0..<view.environmentCount { add(view.environment(row)) }
        for row in 0..<view.permissionCount { add(view.permission(row).path) }
        for row in 0..<view.identityCount { total += Int(view.identity(row).user & 1) }
        for row in 0..<view.limitCount { total += Int(view.limit(row).resource & 1) }
        for row in 0..<view.operationCount {
            let operation = view.operation(row)
            for text in [operation.source, operation.target, operation.second, operation.third] { add(text) }
            for index in 0..<operation.sourceBytes { total += Int(operation.source[index] & 1) }
            total += operation.identity < view.identityCount ? 0 : 1 << 40
        }
        for index in 0..<view.filterBytes { total += Int(view.filter.load(fromByteOffset: index, as: UInt8.self) & 1) }
        return total
    }
}
