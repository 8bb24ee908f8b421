import BrokerLink
import NIOCore

/// One login that the broker holds: what it is now, and who waits for it to be renewed.
struct Login {
    typealias Answered = (waiter: EventLoopPromise<SecretValue>, answer: Result<SecretValue, any Error>)

    enum Phase: Equatable {
        case idle
        /// The supervisor was asked for the file, and for nobody else to renew it.
        case asked
        case renewing
    }

    let place: UInt16
    var tokens: LoginTokens?
    var value: SecretValue?
    /// The token before it, which a service may still send back.
    var former: SecretValue?
    /// Why there are none.
    var problem: String?
    var phase = Phase.idle
    /// Counts what was asked for, so that what comes too late is known to.
    var attempt = 0
    var waiters: [EventLoopPromise<SecretValue>] = []
    /// Waiters that have their answer, which they get when nobody looks at the login any more.
    var answered: [Answered] = []
    /// The token that the service itself did not accept.
    var rejected: SecretText?
    /// Renewals that a service provoked by refusing tokens, since it took one.
    var provoked = 0
    /// The refresh token that the provider did not accept: nobody asks with it again.
    var dead: SecretText?
    var failure: LoginFailure?
    /// Unix seconds until which nothing is tried again.
    var quietUntil = 0.0
    /// Unix seconds of the last renewal.
    var renewed = 0.0

    init(place: UInt16) { self.place = place }

    /// Programs renew this early; a request under way must not be caught by the end of its token.
    static let earlySeconds = 300.0

    /// A service that refuses whatever is renewed is no reason to ask the provider for ever.
    static let provokedMax = 3

    /// True where nothing but the service's refusal speaks for a renewal.
    func isProvoked(_ now: Double) -> Bool {
        guard let tokens, tokens.access == rejected else { return false }
        return tokens.expiresMilliseconds.map { Double($0) / 1000 > now } ?? true
    }

    func isFresh(_ now: Double) -> Bool { isUsable(now + Self.earlySeconds) }

    /// True if services should accept its token.
    func isUsable(_ now: Double) -> Bool {
        guard let tokens, value != nil, tokens.access != rejected else { return false }
        return tokens.expiresMilliseconds.map { Double($0) / 1000 > now } ?? true
    }

    /// True if asking would help.
    func canRenew(_ now: Double) -> Bool { now >= quietUntil }
}
