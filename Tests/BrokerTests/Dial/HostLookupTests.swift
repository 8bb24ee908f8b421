import BrokerLink
import Egress
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Broker

@Suite("what name servers of the host say counts only where it fits the question")
struct HostLookupTests {
    private typealias Server = ScriptedNameServer
    private static let good = "93.184.216.34"

    /// The addresses of `api.example.com` as a look-up gives them, or why there are none.
    private func look(_ servers: [Server], version: Int = 0) throws -> String {
        defer { for server in servers { server.stop() } }
        return try look(HostLookup(settings: SettingsStore(BrokerSettings(nameServers: servers.map(\.server)))))
    }

    /// Waits for it here: other tests must not come between, as time counts.
    private func look(_ lookup: HostLookup, _ name: String = "api.example.com") throws -> String {
        try begin(lookup, name).wait()
    }

    private func begin(_ lookup: HostLookup, _ name: String = "api.example.com") throws -> EventLoopFuture<String> {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        return lookup.look(up: try HostName(name), on: loop)
            .map { $0.addresses.map(\.description).joined(separator: " ") }
            .flatMapErrorThrowing { error in
                guard let failure = error as? DialFailure else { throw error }
                return failure.reason
            }
    }

    /// An answer to A, and none for AAAA.
    private static func a(_ question: Server.Question, _ address: String = good) -> [Server.Record] {
        question.type == 1 ? [.a(question.text, address)] : []
    }

    @Test(
        "what does not fit is not taken, and the right answer behind it is",
        arguments: [
            [Server.Step.wrongID], [.otherName("evil.example.com")], [.raw([])], [.raw([0x81])],
            [.wrongID, .wrongID, .wrongID],
            [.raw([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0])], [.raw([UInt8](repeating: 0xFF, count: 1500))],
            [.elsewhere([.a("api.example.com", "93.184.216.66")])],
        ]
    )
    func strays(_ steps: [ScriptedNameServer.Step]) throws {
        let server = try Server { steps + [.records(Self.a($0))] }
        #expect(try look([server]) == Self.good)
        #expect(server.questions.filter(\.isStream).isEmpty)
    }

    @Test("a flood of guesses is answered by asking over TCP")
    func guesses() throws {
        let server = try Server { question in
            question.isStream ? [.records(Self.a(question))] : Array(repeating: .wrongID, count: 20)
        }
        #expect(try look([server]) == Self.good)
        #expect(server.questions.filter(\.isStream).count == 2)
    }

    @Test("an answer that does not repeat the letters as they were asked is not trusted as a datagram")
    func letters() throws {
        let server = try Server { question in
            question.isStream ? [.lowered(Self.a(question))] : [.lowered(Self.a(question, "93.184.216.66"))]
        }
        #expect(try look([server]) == Self.good)
        let asked = server.questions.map { String(decoding: $0.name, as: UTF8.self) }
        #expect(asked.allSatisfy { $0.lowercased() == "api.example.com" } && Set(asked).count > 1)
    }

    @Test("a truncated answer is asked for again over TCP")
    func truncated() throws {
        let server = try Server { $0.isStream ? [.records(Self.a($0))] : [.truncated] }
        #expect(try look([server]) == Self.good)
        #expect(server.questions.filter(\.isStream).count == 2)
        let never = try Server { _ in [.truncated] }
        #expect(try look([never]).contains("not understood"))
    }

    @Test("a server that fails, is silent or is not there is followed by the next")
    func nextServer() throws {
        let gone = try Server { _ in [] }
        gone.stop()
        for script: Server.Script in [{ _ in [.code(2)] }, { _ in [.code(5)] }, { _ in [] }] {
            let other = try Server(script)
            let good = try Server { [.records(Self.a($0))] }
            #expect(try look([other, gone, good]) == Self.good)
        }
    }

    @Test("where no server answers, that is said")
    func noServer() throws {
        #expect(try look([]).contains("no name server"))
        let gone = try Server { _ in [] }
        gone.stop()
        #expect(try look([gone]).contains("cannot be looked up"))
        #expect(try look([try Server { _ in [.code(2)] }]).contains("code 2"))
    }

    @Test("addresses of one family are taken when the other stays unknown")
    func otherFamily() throws {
        let silent = try Server { $0.type == 1 ? [.records(Self.a($0))] : [] }
        let lookup = HostLookup(settings: SettingsStore(BrokerSettings(nameServers: [silent.server])))
        for _ in 0..<5 { #expect(try look(lookup) == Self.good) }
        #expect(silent.questions.filter { $0.type == 1 }.count == 1)
        silent.stop()
        let failing = try Server { $0.type == 1 ? [.records(Self.a($0))] : [.code(2)] }
        #expect(try look([failing]) == Self.good)
    }

    @Test("aliases are followed within the answer, and circles, forks and long ways are refused")
    func aliases() throws {
        func chain(_ count: Int) -> [Server.Record] {
            [.alias("api.example.com", "n0.example.net")]
                + (0..<count).map { .alias("n\($0).example.net", "n\($0 + 1).example.net") }
                + [.a("n\(count).example.net", Self.good), .a("other.example.net", "93.184.216.66")]
        }
        let short = chain(5)
        #expect(try look([try Server { _ in [.records(short)] }]) == Self.good)
        let bad: [[Server.Record]] = [
            chain(AnswerChain.aliasesMax), [.alias("api.example.com", "api.example.com")],
            [.alias("api.example.com", "b.example.net"), .alias("b.example.net", "API.example.com")],
            [
                .alias("api.example.com", "b.example.net"), .alias("b.example.net", "c.example.net"),
                .alias("c.example.net", "b.example.net"),
            ],
            [.alias("api.example.com", "b.example.net"), .alias("api.example.com", "c.example.net")],
            (0...64).map { .a("api.example.com", "93.184.217.\($0)") },
        ]
        for records in bad {
            let said = try look([try Server { $0.type == 1 ? [.records(records)] : [.code(2)] }])
            #expect(said.contains("cannot be looked up"), "\(said)")
        }
    }

    @Test("what a server says of other names is not looked at")
    func otherNames() throws {
        let server = try Server { question in
            [
                .records(
                    Self.a(question) + [.a("b.example.com", "93.184.216.66"), .alias("c.example.com", "d.example.com")]
                )
            ]
        }
        let lookup = HostLookup(settings: SettingsStore(BrokerSettings(nameServers: [server.server])))
        #expect(try look(lookup) == Self.good)
        _ = try look(lookup, "b.example.com")
        #expect(server.questions.contains { $0.text == "b.example.com" })
        server.stop()
    }

    @Test("many that want one name ask once, an answer is kept as long as it lives, and new settings forget it")
    func kept() throws {
        let server = try Server { [.wait(milliseconds: 50), .records(Self.a($0))] }
        let store = SettingsStore(BrokerSettings(nameServers: [server.server]))
        let lookup = HostLookup(settings: store)
        let looks = try (0..<50).map { _ in try begin(lookup) }
        for look in looks { #expect(try look.wait() == Self.good) }
        #expect(server.questions.count == 2)
        lookup.forget(try HostName("api.example.com"))
        #expect(try look(lookup) == Self.good)
        #expect(server.questions.count == 4)
        store.replace(store.current)
        #expect(try look(lookup) == Self.good)
        #expect(server.questions.count == 6)
        server.stop()
    }

    @Test("numbers, ports and letters of questions are not to be guessed")
    func randomness() throws {
        let name = DNSName(try HostName("api.example.com"))
        let questions = (0..<200).map { _ in NameServerExchange.Question(name, .a) }
        #expect(Set(questions.map(\.id)).count > 180)
        #expect(Set(questions.map(\.question.name)).count > 180)
        #expect(questions.allSatisfy { $0.question.name.isSame(as: name) })
    }
}
