import BrokerLink
import Domain
import Egress
import NIOCore
import Synchronization

/// Where requests to models are looked at before they leave: which are metered, what they may use, and what is told of
/// them. One for the whole process.
package final class ModelDesk: Sendable {
    let budget = ModelBudget()
    let settings: SettingsStore
    private let ledger: any ModelLedger
    /// Bytes of bodies that are collected or on their way, of all requests.
    private let collected = Mutex(0)

    /// A conversation with pictures takes a few megabytes; services take at most 32.
    package static let bodyBytesMax = 64 << 20
    /// All that are on their way together: what is collected is memory of this process.
    private static let bodiesBytesMax = 512 << 20

    package init(settings: SettingsStore, ledger: any ModelLedger) {
        self.settings = settings
        self.ledger = ledger
    }

    /// Sets aside what a request may use, and tells of it. Nothing may be sent before it is told.
    ///
    /// - Returns: the request's number, and what becomes of telling of it.
    func reserve(
        _ request: ModelRequest,
        _ reserve: ModelReserve,
        _ provider: ModelProvider,
        on loop: any EventLoop
    ) throws(EgressRefusal) -> (number: UInt64, announcement: Announcement) {
        let number = try budget.reserve(reserve.amount, settings.current.models)
        let report = ModelReport.Requested(
            number: number,
            provider: provider.name,
            model: request.model,
            tokens: reserve.tokens,
            microdollars: reserve.microdollars,
            extras: Array(request.extras.prefix(ModelReport.Requested.extrasMax))
        )
        let announcement = ledger.announce(.requested(report), on: loop)
        if case .untold = announcement { throw untold(reserve) }
        return (number, announcement)
    }

    /// What was set aside for a request that nobody heard of is given back, and nothing is told of that.
    ///
    /// - Returns: why the request does not leave.
    @discardableResult
    func untold(_ reserve: ModelReserve) -> EgressRefusal {
        budget.settle(reserve.amount, used: ModelBudget.Amount(tokens: 0, microdollars: 0))
        return EgressRefusal(RuleID("model-ledger"), "the request could not be written down before it is sent")
    }

    func settle(
        _ number: UInt64,
        _ reserve: ModelReserve,
        _ used: (tokens: ModelUse.Tokens, microdollars: UInt64?, basis: ModelReport.Basis)
    ) {
        let amount = ModelBudget.Amount(tokens: used.tokens.sum, microdollars: used.microdollars ?? 0)
        budget.settle(reserve.amount, used: amount)
        ledger.record(
            .settled(
                ModelReport.Settled(
                    number: number,
                    tokens: used.tokens,
                    microdollars: used.microdollars,
                    basis: used.basis
                )
            )
        )
    }

    func refused(_ provider: ModelProvider, _ model: String) {
        ledger.record(.refused(provider: provider.name, model: model))
    }

    /// Takes room for a body; false where there is none left.
    func take(bytes: Int) -> Bool {
        collected.withLock { sum in
            guard sum + bytes <= Self.bodiesBytesMax else { return false }
            sum += bytes
            return true
        }
    }

    func giveBack(bytes: Int) { collected.withLock { $0 -= bytes } }

    var rules: ModelRules { settings.current.models }

    var mask: PlaceholderMask? { PlaceholderMask(settings.current.secrets.map(\.placeholder)) }
}
