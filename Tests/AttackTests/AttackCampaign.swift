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
        let needsBatch = AttackRow.tried.contains { [.probe, .host].contains($0.method) }
        let batch = needsBatch ? try BatchAttack(yard: yard, helper: helper) : nil
        let lone = LoneAttack(yard: yard, helper: helper)
        let shell = try ShellAttack(yard: yard)
        var results: [String: AttackResult] = [:]
        for row in AttackRow.tried {
            let began = Date()
            let (wall, control) = Self.caught {
                switch row.method {
                case .probe, .host, .test: batch?.findings(row) ?? BatchAttack.missing
                case .alone: try lone.findings(row)
                case .pair: try lone.pairFindings(row)
                case .shell: try shell.findings(row)
                case .git: try shell.gitFindings(row)
                case .carry: try shell.carryFindings(row)
                case .names: try shell.nameFindings(row)
                case .layer: try shell.layerFindings(row)
                case .screen: try shell.screenFindings(row)
                }
            }
            results[row.id] = AttackResult(
                row: row,
                wall: wall,
                control: control,
                rootControl: rootResults[row.id]?.control,
                seconds: Date().timeIntervalSince(began)
            )
        }
        self.results = results
        print(AttackTable(identity: identity, results: results))
        try AttackReport(identity: identity, results: results).write()
    }

    /// An attempt that could not be made is an error of its own, and not of all the others.
    private static func caught(
        _ attempt: () throws -> (wall: AttackFinding, control: AttackFinding)
    ) -> (wall: AttackFinding, control: AttackFinding) {
        do {
            return try attempt()
        } catch {
            let finding = AttackFinding(verdict: .error, detail: "\(error)")
            return (finding, finding)
        }
    }
}
