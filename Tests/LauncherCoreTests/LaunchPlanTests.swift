import LauncherCore
import TestSupport
import Testing

@Suite("a launch plan arrives as it was written, or not at all")
struct LaunchPlanTests {
    @Test("every field survives the journey")
    func roundTrip() throws {
        let plan = PlanFixture.full()
        try GuardedBytes(plan.encoded()).withBytes { bytes in
            let view = try #require(LaunchPlanView(bytes))
            #expect(view.isPrivileged && view.usesTerminal)
            #expect(view.hostUserID == plan.hostUserID && view.insideUserID == plan.insideUserID)
            #expect(String(cString: view.workingDirectory) == plan.workingDirectory)
            #expect((0..<view.argumentCount).map { String(cString: view.argument($0)) } == plan.arguments)
            #expect((0..<view.candidateCount).map { String(cString: view.candidate($0)) } == plan.candidates)
            #expect((0..<view.environmentCount).map { String(cString: view.environment($0)) } == plan.environment)
            #expect(view.limit(0).soft == 1 << 40 && view.limit(0).hard == UInt64.max)
            #expect(String(cString: view.permission(1).path) == "/tmp" && view.permission(1).access == 3)
            #expect((0..<view.filterBytes).map { view.filter.load(fromByteOffset: $0, as: UInt8.self) } == plan.filter)
            for (row, route) in plan.routes.enumerated() {
                let read = view.route(row)
                #expect((0..<read.addressBytes).map { read.address[$0] } == route.address.bytes)
                #expect(read.prefixBits == route.prefixBits)
            }
            #expect(view.routeCount == 2 && view.listenerCount == 2 && view.hasNetwork)
            for (row, listener) in plan.listeners.enumerated() {
                let read = view.listener(row)
                #expect((0..<read.addressBytes).map { read.address[$0] } == listener.address.bytes)
                #expect(read.port == listener.port && read.isDatagram == listener.isDatagram)
            }
            for (row, operation) in plan.operations.enumerated() {
                let read = view.operation(row)
                #expect(read.kind == operation.kind)
                let source = operation.content ?? Array(operation.source.utf8)
                #expect((0..<read.sourceBytes).map { UInt8(bitPattern: read.source[$0]) } == source)
                #expect(read.source[read.sourceBytes] == 0)
                #expect(String(cString: read.target) == operation.target)
                #expect(read.identity == operation.identity.map(Int.init) ?? -1)
                #expect(read.isOptional == operation.isOptional && read.mode == operation.mode)
            }
        }
    }

    @Test("a plan cut short anywhere is refused")
    func truncated() {
        let bytes = PlanFixture.full().encoded()
        for count in 0..<bytes.count {
            GuardedBytes(Array(bytes[..<count])).withBytes { #expect(LaunchPlanView($0) == nil) }
        }
    }

    @Test("a plan of another version, of root inside, or without a filter is refused")
    func refused() {
        let bytes = PlanFixture.full().encoded()
        func expectRefused(_ change: (inout [UInt8]) -> Void) {
            var damaged = bytes
            change(&damaged)
            GuardedBytes(damaged).withBytes { #expect(LaunchPlanView($0) == nil) }
        }
        expectRefused { $0[4] &+= 1 }
        expectRefused { $0[16...19] = [0, 0, 0, 0] }
        expectRefused { $0[24...27] = [0, 0, 0, 0] }
        expectRefused { $0[104...107] = [0, 0, 0, 0] }
        func expectRefused(network change: (inout LaunchPlan) -> Void) {
            var plan = PlanFixture.full()
            change(&plan)
            GuardedBytes(plan.encoded()).withBytes { #expect(LaunchPlanView($0) == nil) }
        }
        expectRefused(network: { $0.routes[0].prefixBits = 33 })
        expectRefused(network: { $0.routes[0].prefixBits = 0 })
        expectRefused(network: { $0.routes[1].prefixBits = 129 })
        expectRefused(network: { $0.listeners[0].port = 0 })
        expectRefused(network: { $0.listeners[0].port = 65_536 })
        expectRefused(network: { $0.listeners = [LaunchPlan.Listener](repeating: $0.listeners[0], count: 257) })
        var rootOutside = PlanFixture.full()
        rootOutside.hostUserID = 0
        GuardedBytes(rootOutside.encoded()).withBytes { #expect(LaunchPlanView($0) == nil) }
    }
}
