package import BrokerLink
import Egress
import Glibc
package import NIOCore
import Synchronization

/// Values of secrets, logins among them: a login that is about to end, or that a service did not accept, is renewed
/// before the request goes on. One run at a time does that, since providers change both tokens: the supervisor sees to
/// it, and keeps the file.
package final class LoginStore: CredentialValues {
    /// What is said to the supervisor.
    package typealias Tell = @Sendable (BrokerReport) -> Void
    /// Asks the provider of a form for other tokens.
    package typealias Renew = @Sendable (LoginTokens, HeldSecret.Form, any EventLoop) -> EventLoopFuture<LoginTokens>

    private struct State {
        var logins: [String: Login] = [:]
    }

    private let plain: SecretStore
    private let renew: Renew
    private let group: any EventLoopGroup
    private let tell: Tell
    private let unixSeconds: @Sendable () -> Double
    private let state = Mutex(State())

    /// Requests wait so long for another run to renew the login, and for the provider.
    private static let waitTime = TimeAmount.seconds(45)
    private static let quietSeconds = 30.0
    private static let revokedSeconds = 60.0

    package convenience init(
        _ plain: SecretStore,
        settings: SettingsStore,
        group: any EventLoopGroup,
        unixSeconds: @escaping @Sendable () -> Double,
        tell: @escaping Tell
    ) {
        let renewal = LoginRenewal(settings, unixSeconds: unixSeconds)
        self.init(plain, group: group, unixSeconds: unixSeconds, tell: tell) { tokens, form, loop in
            guard let provider = LoginProvider.of(form) else { return loop.makeFailedFuture(LoginFailure.revoked) }
            return renewal.renew(tokens, provider, on: loop)
        }
    }

    package init(
        _ plain: SecretStore,
        group: any EventLoopGroup,
        unixSeconds: @escaping @Sendable () -> Double,
        tell: @escaping Tell,
        renew: @escaping Renew
    ) {
        self.plain = plain
        self.group = group
        self.tell = tell
        self.unixSeconds = unixSeconds
        self.renew = renew
    }

    /// A value came, or the file of a login.
    package func put(_ bytes: UnsafeRawBufferPointer, for secret: HeldSecret, at place: UInt16) {
        guard let provider = LoginProvider.of(secret.form) else { return plain.put(bytes, for: secret) }
        let read = Result { () throws(LinkError) in try LoginFile(bytes, form: secret.form, .required) }
        let key = secret.placeholder.text
        change(key, place) { login in
            guard login.phase != .renewing else { return }
            switch read {
            case .success(let file): Self.take(file.tokens, &login)
            case .failure(let error):
                login.former = login.value ?? login.former
                login.tokens = nil
                login.value = nil
                login.problem = error.description
            }
            if login.phase == .asked { answer(secret, provider, &login) }
        }
    }

    /// Forgets all others.
    package func keep(_ secrets: [HeldSecret]) {
        plain.keep(secrets)
        let kept = Set(secrets.map(\.placeholder.text))
        let gone = state.withLock { state in
            let gone = state.logins.filter { !kept.contains($0.key) }
            state.logins = state.logins.filter { kept.contains($0.key) }
            return gone.values.flatMap(\.waiters)
        }
        for waiter in gone { waiter.fail(ChannelError.ioOnClosedChannel) }
    }

    package func lease(_ secret: HeldSecret, on loop: any EventLoop) -> EventLoopFuture<SecretValue> {
        guard let provider = LoginProvider.of(secret.form) else { return plain.lease(secret, on: loop) }
        return state.withLock { state in
            guard var login = state.logins[secret.placeholder.text] else {
                return loop.makeFailedFuture(Self.refusal(secret, provider, nil))
            }
            defer { state.logins[secret.placeholder.text] = login }
            let now = unixSeconds()
            if let value = login.value, login.isFresh(now) { return loop.makeSucceededFuture(value) }
            guard login.phase != .idle || login.canRenew(now) else {
                // The token holds for some minutes yet, although the provider gives no other.
                if let value = login.value, login.isUsable(now) { return loop.makeSucceededFuture(value) }
                return loop.makeFailedFuture(Self.refusal(secret, provider, login))
            }
            return wait(secret, &login, on: loop)
        }
    }

    package func known(_ secret: HeldSecret) -> [SecretValue] {
        guard secret.form != .value else { return plain.known(secret) }
        return state.withLock { state in
            let login = state.logins[secret.placeholder.text]
            return [login?.value, login?.former].compactMap { $0 }
        }
    }

    package func accepted(_ value: SecretValue, of secret: HeldSecret) {
        guard secret.form != .value else { return }
        let key = secret.placeholder.text
        state.withLock { if $0.logins[key]?.value === value { $0.logins[key]?.provoked = 0 } }
    }

    package func rejected(
        _ value: SecretValue,
        of secret: HeldSecret,
        on loop: any EventLoop
    ) -> EventLoopFuture<SecretValue?> {
        guard secret.form != .value else { return plain.rejected(value, of: secret, on: loop) }
        let waiting: EventLoopFuture<SecretValue>? = state.withLock { state in
            guard var login = state.logins[secret.placeholder.text], let current = login.value else { return nil }
            defer { state.logins[secret.placeholder.text] = login }
            let now = unixSeconds()
            // Another request heard so first, and it was renewed meanwhile.
            if current !== value, login.isUsable(now) { return loop.makeSucceededFuture(current) }
            // A token that was just made is as good as the next one.
            guard now > login.renewed + Self.revokedSeconds, login.canRenew(now), login.provoked < Login.provokedMax
            else { return nil }
            login.rejected = login.tokens?.access
            return wait(secret, &login, on: loop)
        }
        guard let waiting else { return loop.makeSucceededFuture(nil) }
        return waiting.map { $0 }.flatMapError { _ in loop.makeSucceededFuture(nil) }
    }

    /// Waits until no login is being renewed: what a provider has given is worth nothing elsewhere.
    package func drain(seconds: Double) {
        for _ in 0..<Int(seconds * 100) {
            guard state.withLock({ $0.logins.values.contains { $0.phase == .renewing } }) else { return }
            usleep(10_000)
        }
    }
}

/// How a login is renewed.
extension LoginStore {
    /// Changes a login, and answers who has waited long enough. They go on at once, and may ask for it again.
    private func change(_ key: String, _ place: UInt16? = nil, _ body: (inout Login) -> Void) {
        let answered = state.withLock { state in
            guard var login = state.logins[key] ?? place.map({ Login(place: $0) }) else { return [Login.Answered]() }
            body(&login)
            let answered = login.answered
            login.answered = []
            state.logins[key] = login
            return answered
        }
        for (waiter, answer) in answered { waiter.completeWith(answer) }
    }

    private func wait(
        _ secret: HeldSecret,
        _ login: inout Login,
        on loop: any EventLoop
    ) -> EventLoopFuture<SecretValue> {
        let promise = loop.makePromise(of: SecretValue.self)
        login.waiters.append(promise)
        if login.phase == .idle {
            login.phase = .asked
            login.attempt += 1
            tell(.loginStale(login.place))
            let (key, attempt) = (secret.placeholder.text, login.attempt)
            _ = loop.scheduleTask(in: Self.waitTime) { self.giveUp(secret, key, attempt) }
        }
        return promise.futureResult
    }

    /// The supervisor sent the file, and nobody else renews the login meanwhile.
    private func answer(_ secret: HeldSecret, _ provider: LoginProvider, _ login: inout Login) {
        guard !login.isFresh(unixSeconds()), let tokens = login.tokens else {
            return settle(secret, provider, &login, telling: .loginSettled(login.place))
        }
        guard let refresh = tokens.refresh, refresh != login.dead else {
            login.failure = .revoked
            login.quietUntil = unixSeconds() + Self.revokedSeconds
            return settle(secret, provider, &login, telling: .loginSettled(login.place))
        }
        if login.isProvoked(unixSeconds()) {
            guard login.provoked < Login.provokedMax else {
                login.failure = .unavailable("the service refused it after \(Login.provokedMax) renewals")
                login.quietUntil = unixSeconds() + Self.quietSeconds
                return settle(secret, provider, &login, telling: .loginSettled(login.place))
            }
            login.provoked += 1
        }
        login.phase = .renewing
        let (key, attempt) = (secret.placeholder.text, login.attempt)
        let loop = group.next()
        loop.execute {
            self.renew(tokens, secret.form, loop).whenComplete { result in
                self.change(key) { login in
                    guard login.phase == .renewing, login.attempt == attempt else { return }
                    self.renewed(result, of: tokens, secret, provider, &login)
                }
            }
        }
    }

    private func renewed(
        _ result: Result<LoginTokens, any Error>,
        of old: LoginTokens,
        _ secret: HeldSecret,
        _ provider: LoginProvider,
        _ login: inout Login
    ) {
        switch result {
        case .success(let tokens):
            Self.take(tokens, &login)
            login.rejected = nil
            login.renewed = unixSeconds()
            settle(secret, provider, &login, telling: .loginRenewed(login.place, tokens))
        case .failure(let error):
            let failure = error as? LoginFailure ?? .unavailable("\(error)")
            login.failure = failure
            if failure == .revoked { login.dead = old.refresh }
            login.quietUntil = unixSeconds() + (failure == .revoked ? Self.revokedSeconds : Self.quietSeconds)
            settle(secret, provider, &login, telling: .loginSettled(login.place))
        }
    }

    private func settle(
        _ secret: HeldSecret,
        _ provider: LoginProvider,
        _ login: inout Login,
        telling report: BrokerReport
    ) {
        login.phase = .idle
        tell(report)
        let waiters = login.waiters
        login.waiters = []
        if let value = login.value, login.isUsable(unixSeconds()) {
            login.answered += waiters.map { ($0, .success(value)) }
        } else {
            let refusal = Self.refusal(secret, provider, login)
            login.answered += waiters.map { ($0, .failure(refusal)) }
        }
    }

    /// The supervisor, another run or the provider did not come to an end.
    private func giveUp(_ secret: HeldSecret, _ key: String, _ attempt: Int) {
        change(key) { login in
            guard login.phase == .asked, login.attempt == attempt, let provider = LoginProvider.of(secret.form) else {
                return
            }
            login.failure = .unavailable("another run renews it and does not come to an end")
            login.quietUntil = unixSeconds() + Self.quietSeconds
            settle(secret, provider, &login, telling: .loginSettled(login.place))
        }
    }

    private static func take(_ tokens: LoginTokens, _ login: inout Login) {
        if tokens != login.tokens || login.value == nil {
            if tokens.access != login.tokens?.access { login.former = login.value ?? login.former }
            login.value = tokens.access.withBytes { try? SecretValue($0) }
            login.tokens = tokens
        }
        login.problem = login.value == nil ? "no memory can be locked for it" : nil
        if tokens.refresh != login.dead { login.failure = nil }
    }

    private static func reason(_ login: Login) -> String {
        switch login.failure {
        case .revoked?: "the provider does not renew it any more"
        case .unavailable(let reason)?: "it cannot be renewed now: \(reason)"
        case nil: login.problem ?? "the service does not accept it"
        }
    }

    private static func refusal(_ secret: HeldSecret, _ provider: LoginProvider, _ login: Login?) -> EgressRefusal {
        EgressRefusal(
            login?.failure == .revoked ? CredentialRules.over : CredentialRules.missing,
            "the login of \(provider.name) (\(secret.name)) cannot be used: \(login.map(reason) ?? "there is none")",
            remedy: provider.remedy
        )
    }
}
