import Foundation
import LauncherCore
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
            for (row, operation) in plan.operations.enumerated() {
                let read = view.operation(row)
                #expect(read.kind == operation.kind)
                #expect(
                    String(cString: read.source) == operation.source && read.sourceBytes == operation.source.utf8.count
                )
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
        var rootOutside = PlanFixture.full()
        rootOutside.hostUserID = 0
        GuardedBytes(rootOutside.encoded()).withBytes { #expect(LaunchPlanView($0) == nil) }
    }

    @Test("whatever the bytes, a view that is made never reads outside of them", arguments: [UInt64(1), 2, 3, 4])
    func fuzzed(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let bytes = PlanFixture.full().encoded()
        let end = Date(timeIntervalSinceNow: FuzzTime.seconds / 4)
        var made = 0
        while Date() < end {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<damaged.count / 4, using: &random) * 4
                let value =
                    [0, 1, UInt32(damaged.count), .max, .random(in: 0...4096, using: &random)]
                    .randomElement(using: &random) ?? 0
                withUnsafeBytes(of: value.littleEndian) { damaged.replaceSubrange(place..<place + 4, with: $0) }
            }
            if Bool.random(using: &random) { damaged.removeLast(Int.random(in: 0..<64, using: &random)) }
            // A guard page lies behind the bytes: reading past them ends the test process.
            GuardedBytes(damaged).withBytes { bytes in
                guard let view = LaunchPlanView(bytes) else { return }
                made += 1
                #expect(PlanFixture.readAll(view) < 1 << 40)
            }
        }
        #expect(made > 0, "some damaged plans are still plans, or nothing was tried")
    }
}

/// How long fuzzers run: short by default, longer where `BAILEY_FUZZ_SECONDS` says so.
enum FuzzTime {
    static var seconds: Double {
        ProcessInfo.processInfo.environment["BAILEY_FUZZ_SECONDS"].flatMap(Double.init) ?? 8
    }
}

/// A small repeatable generator (SplitMix64, Steele, Lea and Flood 2014).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
