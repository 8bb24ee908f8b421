import BrokerLink
import Domain

/// What a run's broker told of requests to models: each is opened before it leaves, and closed once.
struct ModelAccounts {
    private(set) var use = ModelUse()
    private var requests = 0
    /// Announced, and not over.
    private var open: [UInt64: ModelReport.Requested] = [:]

    init(_ rules: (tokensMax: UInt64?, microdollarsMax: UInt64?)) {
        use.tokensMax = rules.tokensMax
        use.microdollarsMax = rules.microdollarsMax
    }

    /// Takes a report down.
    ///
    /// - Throws: for one that fits no other: the broker holds what strangers sent.
    mutating func take(_ report: ModelReport) throws(LinkError) {
        switch report {
        case .requested(let request):
            guard request.number > 0, open[request.number] == nil, open.count < Self.openMax else {
                throw LinkError("the broker told of a request to a model twice, or of too many")
            }
            requests += 1
            guard requests <= Self.requestsMax else {
                throw LinkError("a run has at most \(Self.requestsMax) requests to models")
            }
            open[request.number] = request
        case .settled(let settled):
            guard let request = open.removeValue(forKey: settled.number) else {
                throw LinkError("the broker told of the end of a request to a model that never began")
            }
            add(settled, request)
        case .refused(let provider, let model): use.addRefusal(provider: provider, model: model)
        }
    }

    /// Nobody will tell any more how the open ones ended: each used what was set aside for it.
    mutating func closeAll() -> [ModelReport] {
        let left = open.values.sorted { $0.number < $1.number }
        open = [:]
        return left.map { request in
            let settled = ModelReport.Settled(estimating: request)
            add(settled, request)
            return .settled(settled)
        }
    }

    private mutating func add(_ settled: ModelReport.Settled, _ request: ModelReport.Requested) {
        guard settled.basis != .free else { return }
        use.add(
            provider: request.provider,
            model: request.model,
            tokens: settled.tokens,
            microdollars: settled.microdollars,
            isEstimated: settled.basis == .estimated
        )
    }

    /// Each is two lines of the journal, and the disk is the host's.
    private static let requestsMax = 200_000
    /// More than a broker has requests at once.
    private static let openMax = 65_536
}
