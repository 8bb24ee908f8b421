import Foundation
import Synchronization
import TestSupport

/// All attempts as one identity, each behind the wall and outside of it. Made once; the tests judge its results.
struct AttackCampaign: Sendable {
    let identity: TestIdentity
    let results: [String: AttackResult]

    /// The identities to try: all that there are, or the one that `BAILEY_ABUSE_IDENTITY` names, `root` or `user`.
    static let identities: [TestIdentity] = {
        let wanted = ProcessInfo.processInfo.environment["BAILEY_ABUSE_IDENTITY"]
        return TestIdentity.available.filter { wanted == nil || wanted == ($0 == .root ? "root" : "user") }
    }()

    /// Whether root's half is tried.
    static let isRoot = identities.contains(.root)
    /// Whether an ordinary user's half is tried.
    static let isOrdinaryUser = identities.contains { $0 != .root }

    /// The campaign as root, where the tests run as root.
    static var asRoot: Result<AttackCampaign, any Error>? { all[.root] }

    /// The campaign as an ordinary user. Where root's control is known, it vouches for attempts that need root outside.
    static var asOrdinaryUser: Result<AttackCampaign, any Error>? { all.first { $0.key != .root }?.value }

    /// Attempts that need no more than a project of their own are made as all identities at once. The others follow as
    /// one identity after the other: they measure time, use up what the machine has or look at what all share.
    private static let all: [TestIdentity: Result<AttackCampaign, any Error>] = {
        let begun = Mutex<[TestIdentity: Result<Attempts, any Error>]>([:])
        DispatchQueue.concurrentPerform(iterations: identities.count) { index in
            let result = Result { try Attempts(identities[index]) }
            begun.withLock { $0[identities[index]] = result }
        }
        var campaigns: [TestIdentity: Result<AttackCampaign, any Error>] = [:]
        for (identity, attempts) in begun.withLock({ $0 }).sorted(by: { $0.key == .root && $1.key != .root }) {
            campaigns[identity] = Result {
                let attempts = try attempts.get()
                defer { attempts.end() }
                attempts.makeTheOthers(rootResults: try campaigns[.root]?.get().results ?? [:])
                return try AttackCampaign(identity, attempts.results)
            }
        }
        return campaigns
    }()

    private init(_ identity: TestIdentity, _ results: [String: AttackResult]) throws {
        self.identity = identity
        self.results = results
        print(AttackTable(identity: identity, results: results))
        try AttackReport(identity: identity, results: results).write()
    }
}

extension AttackRow.Method {
    /// Whether such an attempt needs no more than a project of its own, and does not care what runs beside it.
    fileprivate var isOfOneProject: Bool {
        switch self {
        case .shell, .git, .carry, .names, .layer: true
        case .probe, .alone, .host, .pair, .screen, .test: false
        }
    }
}

/// One identity's attempts: where and how they are made, and what became of them. One thread at a time has them.
private final class Attempts: @unchecked Sendable {
    private(set) var results: [String: AttackResult] = [:]
    private let yard: AttackYard
    private let shell: ShellAttack
    /// Made when the first row asks for it.
    private var helper: HostHelper?
    private var rootResults: [String: AttackResult] = [:]
    /// Made when the first row asks for them; another one when a row of an earlier one broke.
    private var batches: [BatchAttack] = []
    /// A machine that others load may hold one attempt up; a fault breaks every one.
    private static let attemptsMax = 3

    /// Makes the attempts that need no more than a project of their own.
    init(_ identity: TestIdentity) throws {
        guard !AttackRow.tried.isEmpty else { throw AttackError("read rows.tsv: it holds no row to try") }
        yard = try AttackYard(identity)
        do {
            shell = try ShellAttack(yard: yard)
        } catch {
            yard.remove()
            throw error
        }
        for row in AttackRow.tried where row.method.isOfOneProject { results[row.id] = result(row) }
    }

    func makeTheOthers(rootResults: [String: AttackResult]) {
        self.rootResults = rootResults
        for row in AttackRow.tried where !row.method.isOfOneProject { results[row.id] = result(row) }
    }

    func end() {
        helper?.stop()
        yard.remove()
    }

    /// Makes the attempt, and makes it again if it broke or proved nothing. What got through once is not tried again.
    private func result(_ row: AttackRow) -> AttackResult {
        let began = Date()
        var result: AttackResult
        var attempt = 1
        repeat {
            if attempt > 1 { yard.clear(row.id) }
            let (wall, control) = findings(row, attempt)
            result = AttackResult(
                row: row,
                wall: wall,
                control: control,
                rootControl: rootResults[row.id]?.control,
                seconds: Date().timeIntervalSince(began)
            )
            attempt += 1
        } while attempt <= Self.attemptsMax && isWorthAnother(result)
        return result
    }

    private func isWorthAnother(_ result: AttackResult) -> Bool {
        let isBroken = result.wall.verdict == .error || !(result.isControlled || result.isMoot)
        guard isBroken, result.wall.verdict != .through else { return false }
        print("\(result.row.id) is tried again: inside \(result.wall); outside \(result.control)")
        return true
    }

    /// An attempt that could not be made is an error of its own, and not of all the others.
    private func findings(_ row: AttackRow, _ attempt: Int) -> (wall: AttackFinding, control: AttackFinding) {
        do {
            return switch row.method {
            case .probe, .host, .test: try batch(attempt).findings(row)
            case .alone: try LoneAttack(yard: yard, helper: host()).findings(row)
            case .pair: try LoneAttack(yard: yard, helper: host()).pairFindings(row)
            case .shell: try shell.findings(row)
            case .git: try shell.gitFindings(row)
            case .carry: try shell.carryFindings(row)
            case .names: try shell.nameFindings(row)
            case .layer: try shell.layerFindings(row)
            case .screen: try shell.screenFindings(row)
            }
        } catch {
            let finding = AttackFinding(verdict: .error, detail: "\(error)")
            return (finding, finding)
        }
    }

    private func host() throws -> HostHelper {
        if let helper { return helper }
        let made = try HostHelper(yard: yard)
        helper = made
        return made
    }

    /// The batch of an attempt. What a row tries once for the whole machine, only the first can try.
    private func batch(_ attempt: Int) throws -> BatchAttack {
        while batches.count < attempt {
            batches.append(try BatchAttack(yard: yard, helper: host(), control: "control-\(batches.count)"))
        }
        return batches[attempt - 1]
    }
}
