import Domain
import Egress
import Testing

@Suite("what a live run may reach changes as a whole or not at all")
struct GrantBookTests {
    private func book(
        _ allow: [String],
        narrowed: [String]? = nil,
        ends: [(String, UInt64)] = []
    ) throws -> GrantBook {
        var policy = NetworkPolicy(allow: try allow.map { try NetworkRule($0) })
        policy.narrowed = try narrowed?.map { try NetworkRule($0) }
        policy.upstreams = [try Upstream(host: "model.test", port: 443, address: "127.0.0.1:8443", ca: nil)]
        let ended = try ends.map { (rule: try NetworkRule($0.0), nanoseconds: $0.1) }
        return GrantBook(policy, ends: ended) { $0.text == "forge.example" || $0.text.hasSuffix(".forge.example") }
    }

    private func refusal(_ book: GrantBook, _ entries: String...) throws -> String? {
        var book = book
        do throws(EgressRefusal) {
            _ = try book.allow(entries, until: nil)
            return nil
        } catch {
            return error.rule.rawValue
        }
    }

    @Test("an entry that is there, that nothing could come of, or that is none is refused")
    func refused() throws {
        let plain = try book(["a.example", "*.b.example:8443", "GET https://c.example/x"])
        #expect(try refusal(plain, "a.example") == "grant-listed")
        #expect(try refusal(plain, "GET https://a.example/y") == "grant-listed")
        #expect(try refusal(plain, "deep.in.b.example:8443") == "grant-listed")
        #expect(try refusal(plain, "deep.in.b.example") == nil)
        #expect(try refusal(plain, "GET https://c.example/x") == "grant-listed")
        #expect(try refusal(plain, "POST https://c.example/x") == nil)
        #expect(try refusal(plain, "https://d.example/x") == "grant-certificate")
        #expect(try refusal(plain, "http://d.example/x") == nil)
        #expect(try refusal(plain, "forge.example", "d.example") == "grant-certificate")
        #expect(try refusal(plain, "*.forge.example") == "grant-certificate")
        #expect(try refusal(plain, "forge.example:22") == nil)
        #expect(try refusal(plain, "10.0.0.1") == "rule-address")
        #expect(try refusal(plain, "d.example", "d.example:443") == nil)
        let narrow = try book(["a.example"], narrowed: ["*.b.example", "https://d.example/x"])
        #expect(try refusal(narrow, "c.example") == "grant-narrowed")
        #expect(try refusal(narrow, "b.example") == "grant-narrowed")
        #expect(try refusal(narrow, "x.b.example:80") == "grant-narrowed")
        #expect(try refusal(narrow, "x.b.example") == nil)
        #expect(try refusal(narrow, "d.example") == "grant-certificate")
    }

    @Test("one bad entry among good ones changes nothing")
    func whole() throws {
        var changing = try book(["a.example"])
        let before = changing.policy
        #expect(throws: EgressRefusal.self) { try changing.allow(["b.example", "a.example"], until: nil) }
        #expect(throws: EgressRefusal.self) { try changing.revoke(["a.example", "b.example"]) }
        #expect(changing.policy == before)
    }

    @Test("what ends goes, and what was listed beside it stays")
    func ends() throws {
        var changing = try book(["a.example", "a.example", "b.example"], ends: [("a.example", 50), ("b.example", 70)])
        _ = try changing.allow(["c.example"], until: 100)
        _ = try changing.allow(["d.example"], until: nil)
        #expect(changing.nextEnd == 50)
        #expect(changing.expire(at: 49).isEmpty)
        #expect(changing.expire(at: 50).map(\.text) == ["a.example"])
        _ = try changing.allow(["c.example:443"], until: 200)
        #expect(changing.expire(at: 150).map(\.text) == ["b.example"])
        #expect(changing.policy.allow?.map(\.text) == ["a.example", "d.example", "c.example:443"])
        #expect(try changing.revoke(["a.example:443"]).count == 1)
        #expect(changing.expire(at: 300).map(\.text) == ["c.example:443"])
        #expect(changing.policy.allow?.map(\.text) == ["d.example"] && changing.nextEnd == nil)
    }
}
