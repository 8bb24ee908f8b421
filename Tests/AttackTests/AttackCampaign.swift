import Foundation
import TestSupport

/// All attempts as one identity, each behind the wall and outside of it. Made once; the tests judge its results.
struct AttackCampaign: Sendable {
    let identity: TestIdentity
    let results: [String: AttackResult]

    /// Whether root's half can be tried.
    static let isRoot = TestIdentity.available.contains(.root)

    /// The campaign as root, where the tests run as root.
    static let asRoot: Result<AttackCampaign, any Error>? = TestIdentity.available
        .first { $0 == .root }
        .map { identity in Result { try AttackCampaign(identity, rootResults: [:]) } }

    /// The campaign as an ordinary user. Where root's control is known, it vouches for attempts that need root outside.
    static let asOrdinaryUser: Result<AttackCampaign, any Error>? = TestIdentity.available
        .first { $0 != .root }
        .map { identity in
            Result {
                let rootResults = try asRoot?.get().results ?? [:]
                defer { ProbeProgram.remove() }
                return try AttackCampaign(identity, rootResults: rootResults)
            }
        }

    private init(_ identity: TestIdentity, rootResults: [String: AttackResult]) throws {
        self.identity = identity
        guard !AttackRow.all.isEmpty else { throw AttackError("read rows.tsv: it holds no row") }
        let yard = try AttackYard(identity)
        defer { yard.remove() }
        let helper = try HostHelper(yard: yard)
        defer { helper.stop() }
        let batch = try BatchAttack(yard: yard, helper: helper)
        let lone = LoneAttack(yard: yard, helper: helper)
        let shell = try ShellAttack(yard: yard)
        var results: [String: AttackResult] = [:]
        for row in AttackRow.all {
            let (wall, control) =
                switch row.method {
                case .probe, .host: batch.findings(row)
                case .alone: try lone.findings(row)
                case .pair: try lone.pairFindings(row)
                case .shell: try shell.findings(row)
                }
            let rootControl = rootResults[row.id]?.control
            results[row.id] = AttackResult(row: row, wall: wall, control: control, rootControl: rootControl)
        }
        self.results = results
        print(AttackTable(identity: identity, results: results))
    }
}
