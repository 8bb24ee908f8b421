import TestSupport
import Testing

/// Every attempt is made twice: behind the wall, where it must fail, and outside, where it must not: else it would
/// prove nothing.
@Suite("what an attacker tries behind the wall fails there and works outside", .serialized)
struct AttackTests {
    /// Rows of the measured suite that must be held and shown to work outside, for each identity.
    static let provenRowsMin = 60

    @Test("every row of the data file is read")
    func readsEveryRow() throws {
        #expect(AttackRow.all.count >= 150)
        #expect(Set(AttackRow.all.map(\.id)).count == AttackRow.all.count)
    }

    @Test(
        "as root",
        .enabled(if: AttackCampaign.isRoot, "the tests run as an ordinary user: root's half is not tried"),
        arguments: AttackRow.all
    )
    func asRoot(_ row: AttackRow) throws {
        try judge(row, in: AttackCampaign.asRoot)
    }

    @Test("as an ordinary user", arguments: AttackRow.all)
    func asOrdinaryUser(_ row: AttackRow) throws {
        try judge(row, in: AttackCampaign.asOrdinaryUser)
    }

    @Test(
        "enough of the measured suite is proven",
        arguments: TestIdentity.available
    )
    func provesEnough(_ identity: TestIdentity) throws {
        let campaign = identity == .root ? AttackCampaign.asRoot : AttackCampaign.asOrdinaryUser
        let results = try #require(campaign).get().results.values
        let proven = results.filter { $0.row.isOfMeasuredSuite && $0.isHeld && $0.isControlled }.count
        #expect(proven >= Self.provenRowsMin)
    }

    private func judge(_ row: AttackRow, in campaign: Result<AttackCampaign, any Error>?) throws {
        let results = try #require(campaign).get().results
        let result = try #require(results[row.id])
        #expect(result.isHeld, "\(row.id) \(row.attempt): inside \(result.wall)")
        #expect(result.isControlled || result.isMoot, "\(row.id) has no control: outside \(result.control)")
    }
}
