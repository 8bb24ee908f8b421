/// Values by key, as many as fit; the one that was not asked for longest goes first.
struct RecentlyUsed<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var values: [Key: (value: Value, usedAt: UInt64)] = [:]
    private var uses: UInt64 = 0
    private let countMax: Int

    init(countMax: Int) { self.countMax = max(1, countMax) }

    var count: Int { values.count }

    mutating func value(for key: Key) -> Value? {
        guard let found = values[key] else { return nil }
        uses += 1
        values[key]?.usedAt = uses
        return found.value
    }

    mutating func insert(_ value: Value, for key: Key) {
        uses += 1
        if values[key] == nil, values.count >= countMax,
            let oldest = values.min(by: { $0.value.usedAt < $1.value.usedAt })
        {
            values[oldest.key] = nil
        }
        values[key] = (value, uses)
    }
}
