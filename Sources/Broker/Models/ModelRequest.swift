import Domain
package import Egress
import Glibc
package import NIOCore

/// What matters of the body of a request to a model. The rest of it passes as it is, byte for byte.
package struct ModelRequest: Sendable, Equatable {
    /// Why a body is none, as the service would say it.
    package struct Fault: Error, Equatable {
        /// A sentence without its full stop, lower case.
        package let reason: String
    }

    package let model: String
    /// The most that the answer may hold, all its alternatives together; nil where the request does not say.
    package let outputTokensMax: UInt64?
    /// Answers that are asked for at once.
    package let alternatives: UInt64
    package let isStream: Bool
    /// Chat Completions, streaming: the client asked for what was used, which comes in a last frame of its own.
    package let asksForUsage: Bool
    /// Members that let the service take another model or another price than the request's.
    package let elsewhere: String?
    /// What has the service do or read more than stands in the body, by their names.
    package let extras: [String]
    /// One of these is a tool of the service's with a model of its own.
    package let extrasNameModel: Bool
    /// The answer goes on when the client has left.
    package let isDetached: Bool
    /// Text that the model reads, at most.
    package let textBytes: Int
    /// Of pictures in Base64.
    package let encodedBytes: Int
    package let pictures: UInt64
    /// The body may have the service keep some of it, and keep it for an hour. OpenAI's dialects do so unasked.
    package let writesCache: Bool
    package let writesLongCache: Bool
    /// The service heeds no limit of its answer.
    package let isUnbounded: Bool
    /// What is said in addition, in the order of the places; empty where the body stays as it came.
    private let insertions: [Insertion]

    private struct Insertion: Sendable, Equatable {
        let range: Range<Int>
        let text: String
    }

    /// What of a request's limits counts.
    package struct Limits: Sendable {
        /// Members that the service heeds.
        package let names: [String]
        /// Is written where the request states none, so that there is one.
        package let stated: UInt64?

        package init(_ names: [String], stated: UInt64? = nil) { (self.names, self.stated) = (names, stated) }
    }

    package static let modelBytesMax = 200
    private static let outputTokensMax: UInt64 = 1_000_000_000
    private static let alternativesMax: UInt64 = 1024

    /// Reads a body.
    package init(_ body: ByteBuffer, _ dialect: ModelDialect, _ limits: Limits? = nil) throws(Fault) {
        let result: Result<ModelRequest, Fault> = body.withUnsafeReadableBytes { bytes in
            Result { () throws(Fault) in try ModelRequest(bytes, dialect, limits ?? Limits(dialect.limitNames)) }
        }
        self = try result.get()
    }

    private init(_ bytes: UnsafeRawBufferPointer, _ dialect: ModelDialect, _ limits: Limits) throws(Fault) {
        let skim: JSONSkim
        do throws(JSONError) { skim = try JSONSkim(bytes, finder: ExtraFinder(dialect)) } catch {
            throw Fault(reason: "the body is no JSON object: \(error)")
        }
        let reader = MemberReader(bytes, skim)
        try reader.refuseLookAlikes(Self.names)
        model = try reader.model(bytesMax: Self.modelBytesMax)
        isStream = try reader.flag("stream") ?? false
        var said: [UInt64] = []
        var isHeeded = false
        for name in dialect.limitNames {
            guard let limit = try reader.count(name, Self.outputTokensMax) else { continue }
            said.append(limit)
            // Some services take zero for none.
            if limit > 0, limits.names.contains(name) { isHeeded = true }
        }
        var insertions: [Insertion] = []
        if !isHeeded, let stated = limits.stated, let name = limits.names.first {
            said.append(stated)
            isHeeded = true
            insertions.append(Self.insertion(of: name, "\(stated)", skim))
        }
        if !isHeeded { said = [] }
        let asked = try reader.count("n", Self.alternativesMax) ?? 1
        alternatives = max(1, asked)
        isUnbounded = limits.names.isEmpty
        outputTokensMax = said.max().map { [alternatives] in $0 * alternatives }
        elsewhere = try reader.elsewhere()
        var finder = skim.finder ?? ExtraFinder(dialect)
        if ServiceExtras.works(model) { finder.add(model) }
        (extras, extrasNameModel) = (finder.names, finder.namesModel)
        isDetached = ["background", "deferred"].contains { reader.asks(for: $0) }
        (encodedBytes, pictures) = (finder.encodedBytes, finder.pictures)
        textBytes = bytes.count - finder.encodedBytes
        let hasMark = bytes.contains(Self.cacheMark) || bytes.contains(Self.escapeMark)
        writesCache = hasMark || dialect != .messages
        writesLongCache = hasMark && (bytes.contains(Self.longCacheMark) || bytes.contains(Self.escapeMark))
        let usage = isStream && dialect == .chat ? try Self.usage(reader, skim) : (false, nil)
        asksForUsage = usage.0
        if let insertion = usage.1 { insertions.append(insertion) }
        self.insertions = insertions.sorted { $0.range.lowerBound < $1.range.lowerBound }
    }

    private static let cacheMark = Array("_control\"".utf8)
    private static let longCacheMark = Array("1h\"".utf8)
    /// A letter that needs none of it: either mark may be written so.
    private static let escapeMark = Array("\\u00".utf8)

    /// Everything that is read.
    private static let names: Set<String> = [
        "model", "models", "stream", "stream_options", "max_tokens", "max_completion_tokens", "max_output_tokens", "n",
        "service_tier", "speed", "preset", "plugins", "fallbacks", "previous_response_id", "conversation", "prompt",
        "tools", "input", "messages", "context_management", "background", "deferred", "provider", "route",
        "inference_geo",
    ]

    /// A member with this value, in the place of one that says null.
    private static func insertion(of name: String, _ value: String, _ skim: JSONSkim) -> Insertion {
        if let place = skim.value(name) { return Insertion(range: place, text: value) }
        return Insertion(range: skim.start..<skim.start, text: "\"\(name)\":\(value),")
    }

    /// Whether the client asked for usage, and what asks for it in its place.
    private static func usage(_ reader: MemberReader, _ skim: JSONSkim) throws(Fault) -> (Bool, Insertion?) {
        let ask = "\"include_usage\":true"
        guard let place = skim.value("stream_options"), !reader.isNull(place) else {
            return (false, insertion(of: "stream_options", "{\(ask)}", skim))
        }
        let inner: JSONSkim
        do throws(JSONError) { inner = try JSONSkim(reader.bytes, place) } catch {
            throw Fault(reason: "stream_options is no object: \(error)")
        }
        let options = MemberReader(reader.bytes, inner)
        try options.refuseLookAlikes(["include_usage"])
        if try options.flag("include_usage") == true { return (true, nil) }
        if let said = inner.value("include_usage") { return (false, Insertion(range: said, text: "true")) }
        let comma = inner.members.isEmpty ? "" : ","
        return (false, Insertion(range: inner.start..<inner.start, text: ask + comma))
    }

    /// The body as it is sent.
    package func sent(_ body: ByteBuffer) -> ByteBuffer {
        guard !insertions.isEmpty else { return body }
        let added = insertions.reduce(0) { $0 + $1.text.utf8.count }
        var sent = ByteBufferAllocator().buffer(capacity: body.readableBytes + added)
        var rest = body
        var offset = 0
        for insertion in insertions {
            if var before = rest.readSlice(length: insertion.range.lowerBound - offset) { sent.writeBuffer(&before) }
            sent.writeString(insertion.text)
            rest.moveReaderIndex(forwardBy: insertion.range.count)
            offset = insertion.range.upperBound
        }
        sent.writeBuffer(&rest)
        return sent
    }
}

/// Reads members of a skimmed object as what they should be.
private struct MemberReader {
    let bytes: UnsafeRawBufferPointer
    private let skim: JSONSkim

    init(_ bytes: UnsafeRawBufferPointer, _ skim: JSONSkim) {
        self.bytes = bytes
        self.skim = skim
    }

    /// Some services take names in any case, so that another spelling would be a second value.
    func refuseLookAlikes(_ names: Set<String>) throws(ModelRequest.Fault) {
        for case let name? in skim.members.map(\.name) where !names.contains(name) {
            // Letters such as the long s become ordinary ones on the way up.
            guard names.contains(name.uppercased().lowercased()) else { continue }
            throw ModelRequest.Fault(
                reason: "the body has \(EgressRefusal.quoted(name.utf8)), which is written in lower case"
            )
        }
    }

    func isNull(_ place: Range<Int>) -> Bool { bytes[place].elementsEqual("null".utf8) }

    /// The value of a member that is there and not null.
    private func parsed(_ name: String, bytesMax: Int = 64) throws(ModelRequest.Fault) -> JSONValue? {
        guard let place = skim.value(name), !isNull(place) else { return nil }
        guard place.count <= bytesMax, let value = try? JSONParser.parse(bytes[place]) else {
            throw ModelRequest.Fault(reason: "\(name) is not what it should be, or too long")
        }
        return value
    }

    func holds(_ name: String) -> Bool { skim.value(name).map { !isNull($0) } ?? false }

    /// True for a member that is neither null nor false.
    func asks(for name: String) -> Bool {
        holds(name) && !(skim.value(name).map { bytes[$0].elementsEqual("false".utf8) } ?? true)
    }

    func flag(_ name: String) throws(ModelRequest.Fault) -> Bool? {
        guard let value = try parsed(name) else { return nil }
        guard let flag = value.boolValue else { throw ModelRequest.Fault(reason: "\(name) is neither true nor false") }
        return flag
    }

    func count(_ name: String, _ most: UInt64) throws(ModelRequest.Fault) -> UInt64? {
        guard let value = try parsed(name) else { return nil }
        // Some clients write whole numbers with a fraction.
        let whole: UInt64? =
            if case .number(let number) = value { UInt64(exactly: number) } else { value.unsignedValue }
        guard let whole, whole <= most else {
            throw ModelRequest.Fault(reason: "\(name) is no whole number from 0 to \(most)")
        }
        return whole
    }

    func model(bytesMax: Int) throws(ModelRequest.Fault) -> String {
        guard let value = try parsed("model", bytesMax: bytesMax * 6) else {
            throw ModelRequest.Fault(reason: "the body names no model")
        }
        guard let text = value.stringValue, (1...bytesMax).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            throw ModelRequest.Fault(reason: "model is no name of at most \(bytesMax) printable ASCII characters")
        }
        return text
    }

    /// None of them costs more than the ordinary one.
    private static let tiers = ["auto", "default", "flex", "standard", "standard_only", "on_demand"]

    /// The member by which a service may take another model or price.
    func elsewhere() throws(ModelRequest.Fault) -> String? {
        let names = ["models", "preset", "plugins", "fallbacks", "provider", "route"]
        if let name = names.first(where: holds) { return name }
        if let tier = try parsed("service_tier"), !Self.tiers.contains(tier.stringValue ?? "") { return "service_tier" }
        if let place = try parsed("inference_geo"), place.stringValue != "global" { return "inference_geo" }
        if let speed = try parsed("speed")?.stringValue, speed != "standard" { return "speed" }
        return nil
    }
}

extension UnsafeRawBufferPointer {
    /// True if the bytes hold these in a row.
    func contains(_ needle: [UInt8]) -> Bool { firstRange(of: needle, from: 0) != nil }

    /// Where the bytes hold these in a row first, from a place on.
    func firstRange(of needle: [UInt8], from place: Int) -> Range<Int>? {
        guard let base = baseAddress, let first = needle.first else { return nil }
        var from = place
        while from + needle.count <= count {
            guard let found = memchr(base + from, Int32(first), count - from - needle.count + 1) else { return nil }
            let offset = UnsafeRawPointer(found) - base
            if self[offset..<offset + needle.count].elementsEqual(needle) { return offset..<offset + needle.count }
            from = offset + 1
        }
        return nil
    }
}
