import Foundation
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
        #expect(AttackRow.all.count >= 300)
        #expect(Set(AttackRow.all.map(\.id)).count == AttackRow.all.count)
        let lines = try String(contentsOfFile: AttackRow.directory + "/rows.tsv", encoding: .utf8).split(
            separator: "\n"
        )
        #expect(AttackRow.all.count == lines.count - 1, "a line is no row")
    }

    @Test("a row that names a test names one that exists", arguments: AttackRow.all.filter { $0.method == .test })
    func namesATest(_ row: AttackRow) throws {
        let parts = row.inside.split(whereSeparator: { "./".contains($0) }).map(String.init)
        try #require(parts.count == 3, "\(row.inside)")
        let tests = AttackRow.directory + "/../" + parts[0]
        let files = try FileManager.default.contentsOfDirectory(atPath: tests).filter { $0.hasSuffix(".swift") }
        let isThere = files.contains { file in
            let text = (try? String(contentsOfFile: tests + "/" + file, encoding: .utf8)) ?? ""
            return text.contains("struct \(parts[1])") && text.contains("func \(parts[2])(")
        }
        #expect(isThere, "\(row.id) names \(row.inside)")
    }

    @Test("the published table holds every row and no other")
    func isPublished() throws {
        let text = try String(contentsOfFile: AttackRow.directory + "/../../docs/abuse.md", encoding: .utf8)
        let cells = text.split(separator: "\n").filter { $0.hasPrefix("| ") }.map { line in
            line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        let published = cells.filter { $0.count == 6 && $0[0] != "Id" }
        #expect(published.map { $0[0] }.sorted() == AttackRow.all.map(\.id).sorted())
        let attempts = Dictionary(AttackRow.all.map { ($0.id, $0.attempt) }) { $1 }
        for row in published { #expect(row[1] == attempts[row[0]], "\(row[0])") }
    }

    @Test(
        "as root",
        .enabled(if: AttackCampaign.isRoot, "the tests run as an ordinary user: root's half is not tried"),
        arguments: AttackRow.tried
    )
    func asRoot(_ row: AttackRow) throws {
        try judge(row, in: AttackCampaign.asRoot)
    }

    @Test(
        "as an ordinary user",
        .enabled(if: AttackCampaign.isOrdinaryUser, "only root's half was asked for"),
        arguments: AttackRow.tried
    )
    func asOrdinaryUser(_ row: AttackRow) throws {
        try judge(row, in: AttackCampaign.asOrdinaryUser)
    }

    @Test(
        "enough of the measured suite is proven",
        .enabled(if: AttackRow.chosen.isEmpty, "only some rows were asked for"),
        arguments: AttackCampaign.identities
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
