import LauncherCore
import TestSupport

extension FuzzTarget {
    /// What the launcher is told. A view that is made reads within its bytes: a guard page lies behind them.
    static let plan = FuzzTarget("plan") {
        [fullPlan.encoded()]
    } prepare: {
        { bytes in
            try GuardedBytes(bytes).withBytes { bytes in
                guard let view = LaunchPlanView(bytes) else { return }
                try readAll(view)
            }
        }
    }

    /// What the launcher says of a start, as the supervisor reads it.
    static let status = FuzzTarget("status", bytesMax: StatusMessage.byteCount + 8) {
        (UInt8(0)...9).flatMap { kind in
            [0, 0x41].map { [kind, 0, 0, 0] + [UInt8](repeating: $0, count: StatusMessage.byteCount - 4) }
        }
    } prepare: {
        { bytes in
            try GuardedBytes(bytes).withBytes { bytes in
                guard let message = StatusMessage(bytes) else { return }
                try promise(bytes.count == StatusMessage.byteCount, "a message of another length was taken")
                try promise(message.path.utf8.count <= StatusMessage.byteCount * 3, "a path grew out of its message")
            }
        }
    }

    /// Reads everything that a view can give, and so touches every byte that it believes in.
    private static func readAll(_ view: LaunchPlanView) throws {
        var total = 0
        func add(_ text: UnsafePointer<CChar>) { total &+= String(cString: text).utf8.count }
        for text in [view.hostName, view.workingDirectory, view.canary] { add(text) }
        for row in 0..<view.candidateCount { add(view.candidate(row)) }
        for row in 0..<view.argumentCount { add(view.argument(row)) }
        for row in 0..<view.environmentCount { add(view.environment(row)) }
        for row in 0..<view.permissionCount { add(view.permission(row).path) }
        for row in 0..<view.identityCount { total &+= Int(view.identity(row).user) }
        for row in 0..<view.limitCount { total &+= Int(view.limit(row).resource) }
        for row in 0..<view.routeCount {
            let route = view.route(row)
            for index in 0..<route.addressBytes { total &+= Int(route.address[index]) }
            try promise(route.prefixBits <= route.addressBytes * 8, "a route is longer than its address")
        }
        for row in 0..<view.listenerCount {
            let listener = view.listener(row)
            for index in 0..<listener.addressBytes { total &+= Int(listener.address[index]) }
            try promise((1...65_535).contains(listener.port), "a listener has no port")
        }
        for row in 0..<view.operationCount {
            let operation = view.operation(row)
            for text in [operation.source, operation.target, operation.second, operation.third] { add(text) }
            for index in 0..<operation.sourceBytes { total &+= Int(operation.source[index]) }
            try promise(operation.identity < view.identityCount, "an operation names an identity that is not there")
            try promise(operation.kind != nil, "an operation has no kind")
        }
        for index in 0..<view.filterBytes { total &+= Int(view.filter.load(fromByteOffset: index, as: UInt8.self)) }
        try promise(view.insideUserID != 0 && view.insideGroupID != 0, "a plan makes the command root")
        try promise(view.hostUserID != 0 || !view.isPrivileged, "a plan maps the command to the host's root")
        try promise(view.argumentCount > 0 && view.candidateCount > 0, "a plan has nothing to execute")
        try promise(view.filterBytes > 0 && view.filterBytes.isMultiple(of: 8), "a plan has no whole filter")
    }

    /// A plan that uses every table of the layout.
    private static var fullPlan: LaunchPlan {
        var plan = LaunchPlan()
        plan.isPrivileged = true
        plan.hostUserID = 0x7000_0001
        plan.hostGroupID = 0x7000_0001
        plan.workingDirectory = "/srv/project"
        plan.canary = "/var/state"
        plan.candidates = ["/usr/bin/tool"]
        plan.arguments = ["tool", "", "--flag"]
        plan.environment = ["PATH=/usr/bin"]
        plan.identities = [.init(userID: 0, groupID: 0)]
        plan.operations = LaunchPlan.Operation.Kind.allCases.map { kind in
            var operation = LaunchPlan.Operation(kind, source: "source", target: "/target")
            operation.identity = kind == .tree ? 0 : nil
            return operation
        }
        plan.limits = [.init(resource: 7, soft: 1 << 40, hard: UInt64.max)]
        plan.permissions = [.init(path: "/", access: 1)]
        plan.filter = (0..<24).map { UInt8($0) }
        plan.routes = [.init(.init([198, 18, 0, 0]), prefixBits: 15)]
        plan.listeners = [.init(.init([UInt8](repeating: 0, count: 16)), port: 443)]
        return plan
    }
}
