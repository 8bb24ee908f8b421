import Broker
import BrokerLink
import Domain
import Egress
import NIOCore
import NIOPosix
import Synchronization
import Testing

@Suite("logins in the broker: what a service's refusals provoke")
struct LoginStoreTests {
    @Test("a service that refuses every token provokes few renewals") func refusedForEver() throws {
        let yard = try LoginStoreYard()
        for _ in 0..<20 {
            _ = try yard.refuse()
            yard.pass(seconds: 61)
        }
        #expect(yard.renewals == 3)
        // Its answers go on as they are, with the last token.
        #expect(try yard.lease() == yard.token(3))
    }

    @Test func aTokenThatTheServiceTakesEndsTheCount() throws {
        let yard = try LoginStoreYard()
        for _ in 0..<5 {
            #expect(try yard.refuse() != nil)
            try yard.accept()
            yard.pass(seconds: 61)
        }
        #expect(yard.renewals == 5)
    }

    @Test func renewalsThatFailCountToo() throws {
        let yard = try LoginStoreYard()
        yard.isOut(true)
        _ = try yard.refuse()
        for _ in 0..<20 {
            yard.pass(seconds: 31)
            #expect(throws: EgressRefusal.self) { try yard.lease() }
        }
        #expect(yard.renewals == 3)
        // Another login is used at once.
        try yard.logIn("another")
        yard.isOut(false)
        yard.pass(seconds: 31)
        #expect(try yard.lease() == yard.token("another"))
    }

    @Test func oneThatRunsOutIsRenewedAllTheSame() throws {
        let yard = try LoginStoreYard()
        for _ in 0..<5 {
            _ = try yard.refuse()
            yard.pass(seconds: 61)
        }
        #expect(yard.renewals == 3)
        yard.pass(seconds: 3600)
        #expect(try yard.lease() == yard.token(4))
    }

    @Test func theTokenBeforeTheLastIsStillKnown() throws {
        let yard = try LoginStoreYard()
        #expect(yard.known() == [yard.token(0)])
        _ = try yard.refuse()
        #expect(yard.known() == [yard.token(1), yard.token(0)])
        try yard.accept()
        yard.pass(seconds: 61)
        _ = try yard.refuse()
        #expect(yard.known() == [yard.token(2), yard.token(1)])
        try yard.logIn("another")
        #expect(yard.known() == [yard.token("another"), yard.token(2)])
    }
}

/// A store with one login, a clock that is put on by hand, and a provider that counts.
private final class LoginStoreYard: Sendable {
    private struct State {
        var now = 1_800_000_000.0
        var stale = 0
        var renewals = 0
        var isOut = false
        /// What the file holds.
        var tokens: LoginTokens
    }

    private struct IsOut: Error {}

    private let state: Mutex<State>
    private let secret: HeldSecret
    private let storage = Mutex<LoginStore?>(nil)
    private var loop: any EventLoop { MultiThreadedEventLoopGroup.singleton.next() }

    init() throws {
        var random = SystemRandomNumberGenerator()
        let name = "token-of-the-test-"
        let first = LoginTokens(
            access: try Self.word(name + "0"),
            refresh: try Self.word("refresh-of-the-test-0"),
            expiresMilliseconds: Self.end(1_800_000_000)
        )
        state = Mutex(State(tokens: first))
        secret = HeldSecret(
            name: "claude-login",
            placeholder: Placeholder(prefix: "", length: 48, random: &random),
            form: .claudeLogin,
            bindings: [try SecretBinding(host: "api.anthropic.com", slot: HeaderSlot(field: "authorization"))]
        )
        let store = LoginStore(
            SecretStore(),
            group: MultiThreadedEventLoopGroup.singleton,
            unixSeconds: { [self] in state.withLock { $0.now } },
            tell: { [self] report in
                switch report {
                case .loginStale: state.withLock { $0.stale += 1 }
                case .loginRenewed(_, let tokens): state.withLock { $0.tokens = tokens }
                default: break
                }
            },
            renew: { [self] _, _, loop in
                let result = state.withLock { state -> LoginTokens? in
                    state.renewals += 1
                    guard !state.isOut else { return nil }
                    let number = "\(state.renewals)"
                    guard let access = try? Self.word(name + number),
                        let refresh = try? Self.word("refresh-of-the-test-" + number)
                    else { return nil }
                    return LoginTokens(access: access, refresh: refresh, expiresMilliseconds: Self.end(state.now))
                }
                return result.map { loop.makeSucceededFuture($0) } ?? loop.makeFailedFuture(IsOut())
            }
        )
        storage.withLock { $0 = store }
        put()
    }

    private var store: LoginStore { storage.withLock { $0 } ?? LoginStoreYard.none }

    private static var none: LoginStore { preconditionFailure("a store is made first") }

    private static func word(_ text: String) throws -> SecretText { try SecretText(text.utf8, .wherePossible) }

    private static func end(_ now: Double) -> UInt64 { UInt64((now + 3600) * 1000) }

    func token(_ number: Int) -> String { token("\(number)") }
    func token(_ name: String) -> String { "token-of-the-test-" + name }
    func pass(seconds: Double) { state.withLock { $0.now += seconds } }
    func isOut(_ isOut: Bool) { state.withLock { $0.isOut = isOut } }
    var renewals: Int { state.withLock { $0.renewals } }

    /// The supervisor hands over the file.
    private func put() {
        let tokens = state.withLock { $0.tokens }
        let words = [tokens.access, tokens.refresh].map { word in
            word?.withBytes { String(decoding: $0, as: UTF8.self) } ?? ""
        }
        let login = JSONValue.object([
            ("accessToken", .string(words[0])), ("refreshToken", .string(words[1])),
            ("expiresAt", .unsigned(tokens.expiresMilliseconds ?? 0)),
        ])
        JSONValue.object([("claudeAiOauth", login)]).bytes().withUnsafeBytes { store.put($0, for: secret, at: 0) }
    }

    /// Somebody logs in outside.
    func logIn(_ name: String) throws {
        let (access, refresh) = (try Self.word(token(name)), try Self.word("refresh-of-the-test-" + name))
        state.withLock { state in
            state.tokens = LoginTokens(access: access, refresh: refresh, expiresMilliseconds: Self.end(state.now))
        }
        put()
    }

    /// Hands the file over where it is asked for.
    private func answered<Value: Sendable>(_ future: EventLoopFuture<Value>) throws -> Value {
        let isAsked = state.withLock { state in
            defer { state.stale = 0 }
            return state.stale > 0
        }
        if isAsked { put() }
        return try future.wait()
    }

    private func text(_ value: SecretValue) -> String { value.withBytes { String(decoding: $0, as: UTF8.self) } }

    func known() -> [String] { store.known(secret).map(text) }

    func lease() throws -> String { text(try answered(store.lease(secret, on: loop))) }

    /// A service answers 401 to what a request carries now.
    ///
    /// - Returns: what is sent in its place.
    func refuse() throws -> String? {
        let value = try answered(store.lease(secret, on: loop))
        return try answered(store.rejected(value, of: secret, on: loop)).map(text)
    }

    /// A service takes what a request carries now.
    func accept() throws { store.accepted(try answered(store.lease(secret, on: loop)), of: secret) }
}
