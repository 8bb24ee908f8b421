import BrokerLink

/// How many connections of a run are written down. Each is a line of the journal, and the disk is the host's: whoever
/// connects without end loses the network, since nothing goes out that is not recorded.
struct ConnectionBudget {
    static let connectionsMax = 1_000_000
    /// What their lines may take, as it is estimated.
    static let bytesMax = 512 << 20
    /// Of a line without its texts: names of fields, numbers, chain.
    private static let fixedBytes = 480

    private(set) var connections = 0
    private(set) var bytes = 0

    /// Counts a connection that was let through. Why there may be no more, if so.
    mutating func take(_ record: ConnectionRecord) -> String? {
        connections += 1
        let texts = [record.host, record.reason, record.request, record.ending, record.remedy].compactMap { $0 }
        bytes += texts.reduce(Self.fixedBytes) { $0 + $1.utf8.count }
        if connections > Self.connectionsMax { return "a run has at most \(Self.connectionsMax) connections" }
        guard bytes <= Self.bytesMax else {
            return "the records of a run's connections have at most \(Self.bytesMax >> 20) MiB"
        }
        return nil
    }
}
