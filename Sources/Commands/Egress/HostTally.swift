import Domain
import Files
import Journal

/// The hosts that a run reached, and how much went to each and came back.
struct HostTally: Equatable {
    struct Place: Hashable {
        let host: String
        let port: UInt64
    }

    struct Use: Equatable {
        var connections: UInt64 = 0
        var bytesOut: UInt64 = 0
        var bytesIn: UInt64 = 0
    }

    /// Places that are told apart: a wildcard entry lets a command make up as many names as it likes.
    static let placesMax = 1000
    /// Of these a line at the end tells.
    private static let namedMax = 3

    private var uses: [Place: Use] = [:]
    /// Connections to places that found no room.
    private(set) var leftOut: UInt64 = 0

    init() {}

    init(lines: [JournalLine]) { for line in lines { take(line) } }

    /// Reads a run's journal, line by line: it can be long.
    init(_ run: RunID, in directory: borrowing Directory) throws {
        var reader = try JournalReader(.run(run), in: directory)
        while let line = try reader.next() { take(line) }
    }

    var isEmpty: Bool { uses.isEmpty }

    private mutating func take(_ line: JournalLine) {
        guard line.type == RecordType.connectionClosed.rawValue, line.data["door"]?.stringValue != "published",
            let host = line.data["host"]?.stringValue
        else { return }
        func number(_ name: String) -> UInt64 { line.data[name]?.unsignedValue ?? 0 }
        let place = Place(host: host, port: number("port"))
        guard uses[place] != nil || uses.count < Self.placesMax else {
            leftOut += 1
            return
        }
        var use = uses[place] ?? Use()
        use.connections += 1
        use.bytesOut = use.bytesOut.saturatingAdd(number("bytes_out"))
        use.bytesIn = use.bytesIn.saturatingAdd(number("bytes_in"))
        uses[place] = use
    }

    /// The busiest first.
    private var ranked: [(place: Place, use: Use)] {
        uses.map { ($0.key, $0.value) }.sorted { left, right in
            let (a, b) = (left.1, right.1)
            let (more, less) = (a.bytesOut.saturatingAdd(a.bytesIn), b.bytesOut.saturatingAdd(b.bytesIn))
            if more != less { return more > less }
            return (left.0.host, left.0.port) < (right.0.host, right.0.port)
        }
    }

    /// A line for each.
    var lines: [String] {
        ranked.map(Self.text) + (leftOut > 0 ? ["\(Quantity.count(leftOut)) connections to more hosts"] : [])
    }

    /// One line for all, with the first few by name.
    func sentence(_ run: RunID) -> String? {
        guard !isEmpty else { return nil }
        let named = ranked.prefix(Self.namedMax).map(Self.text).joined(separator: "; ")
        let rest = uses.count - min(uses.count, Self.namedMax)
        let more = rest > 0 || leftOut > 0
        return "reached \(named)" + (more ? "; and \(leftOut > 0 ? "more" : "\(rest) more") hosts" : "")
            + "; see: bailey egress log \(run)"
    }

    private static func text(_ entry: (place: Place, use: Use)) -> String {
        let connections = Quantity.things(entry.use.connections, "connection", "connections")
        return "\(Printable.text(entry.place.host)):\(entry.place.port) (\(connections), "
            + "\(Quantity.bytes(entry.use.bytesOut)) out, \(Quantity.bytes(entry.use.bytesIn)) in)"
    }

    var json: [(String, JSONValue)] {
        let list = ranked.map { entry in
            JSONValue.object([
                ("host", .string(entry.place.host)), ("port", .unsigned(entry.place.port)),
                ("connections", .unsigned(entry.use.connections)), ("bytes_out", .unsigned(entry.use.bytesOut)),
                ("bytes_in", .unsigned(entry.use.bytesIn)),
            ])
        }
        return [("hosts", .array(list)), ("hosts_left_out", .unsigned(leftOut))]
    }
}
