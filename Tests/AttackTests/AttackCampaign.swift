import Foundation
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
    static let asRoot: Result<AttackCampaign, any Error>? =
        identities
        .first { $0 == .root }
        .map { identity in Result { try AttackCampaign(identity, rootResults: [:]) } }

    /// The campaign as an ordinary user. Where root's control is known, it vouches for attempts that need root outside.
    static let asOrdinaryUser: Result<AttackCampaign, any Error>? =
        identities
        .first { $0 != .root }
        .map { identity in
            Result {
                let rootResults = try asRoot?.get().results ?? [:]
                return try AttackCampaign(identity, rootResults: rootResults)
            }
        }

    private init(_ identity: TestIdentity, rootResults: [String: AttackResult]) throws {
        self.identity = identity
        guard !AttackRow.tried.isEmpty else { throw AttackError("read rows.tsv: it holds no row to try") }
        let yard = try AttackYard(identity)
        defer { yard.remove() }
        let helper = try HostHelper(yard: yard)
        defer { helper.stop() }
        let attempts = try Attempts(yard: yard, helper: helper, rootResults: rootResults)
        var results: [String: AttackResult] = [:]
        for row in AttackRow.tried { results[row.id] = attempts.result(row) }
        self.results = results
        print(AttackTable(identity: identity, results: results))
        try AttackReport(identity: identity, results: results).write()
    }
}

/// The ways to make an attempt.
private final class Attempts {
    private let yard: AttackYard
    private let helper: HostHelper
    private let rootResults: [String: AttackResult]
    private let lone: LoneAttack
    private let shell: ShellAttack
    /// Made when the first row asks for them; another one when a row of an earlier one broke.
    private var batches: [BatchAttack] = []
    /// A machine that others load may hold one attempt up; a fault breaks every one.
    private static let attemptsMax = 3

    init(yard: AttackYard, helper: HostHelper, rootResults: [String: AttackResult]) throws {
        (self.yard, self.helper, self.rootResults) = (yard, helper, rootResults)
        lone = LoneAttack(yard: yard, helper: helper)
        shell = try ShellAttack(yard: yard)
    }

    /// Makes the attempt, and makes it again if it broke or proved nothing. What got through once is not tried again.
    func result(_ row: AttackRow) -> AttackResult {
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
            case .alone: try lone.findings(row)
            case .pair: try lone.pairFindings(row)
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

    /// The batch of an attempt. What a row tries once for the whole machine, only the first can try.
    private func batch(_ attempt: Int) throws -> BatchAttack {
        while batches.count < attempt {
            batches.append(try BatchAttack(yard: yard, helper: helper, control: "control-\(batches.count)"))
        }
        return batches[attempt - 1]
    }
}
