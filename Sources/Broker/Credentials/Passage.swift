import BrokerLink
import Domain
import Egress
import NIOCore

/// What is looked at beside policy while one request and its answer pass: the secret that it carries, placeholders in
/// what leaves, secrets in what comes, and what a model costs. Most requests have none of it.
struct Passage {
    let injection: Injection?
    private(set) var meter: (any ModelMeter)?
    private let values: any CredentialValues
    private var value: SecretValue?
    private var answer: AnswerReading?
    private let watch: PlaceholderWatch?
    private var leaving: NeedleScanner?
    private var needles: NeedleSet?
    /// Beside the secret that the request carries, what its answer may not hold.
    private let neighbours: [SecretValue]
    private let target: ConnectTarget

    init(
        _ target: ConnectTarget,
        _ injection: Injection?,
        meter: (any ModelMeter)?,
        watch: PlaceholderWatch?,
        values: any CredentialValues,
        neighbours: [SecretValue]
    ) {
        self.target = target
        self.injection = injection
        self.meter = meter
        self.watch = watch
        self.values = values
        self.neighbours = neighbours
        leaving = watch.map { NeedleScanner($0.needles) }
    }

    /// The answer is looked through, so that it must be one that can be read.
    var readsAnswer: Bool { injection != nil || meter != nil || !neighbours.isEmpty }

    /// What the request carries, once there is a value.
    var field: InjectedField? {
        guard let injection, let value else { return nil }
        return InjectedField(slot: injection.slot, value: value)
    }

    /// The secret's value came.
    mutating func carry(_ value: SecretValue) throws(EgressRefusal) {
        needles = try Self.needles(of: value)
        self.value = value
    }

    /// The value that a service answered 401 to.
    var refusedValue: (value: SecretValue, secret: HeldSecret)? {
        guard let injection, let value else { return nil }
        return (value, injection.secret)
    }

    /// What the request would have carried before, and what others carry meanwhile.
    private var former: [SecretValue] {
        guard let injection, let value else { return [] }
        return values.known(injection.secret).filter { $0 !== value }
    }

    private static func needles(of value: SecretValue) throws(EgressRefusal) -> NeedleSet {
        do throws(SecretMemory.Failure) { return try value.needles() } catch {
            throw EgressRefusal(CredentialRules.missing, "the answer could not be scanned for the secret: \(error)")
        }
    }

    /// A request leaves, perhaps once more; its answer is read from the beginning.
    mutating func begin() throws(EgressRefusal) {
        if readsAnswer {
            var sets = needles.map { [$0] } ?? []
            for value in neighbours + former { sets.append(try Self.needles(of: value)) }
            answer = AnswerReading(sets, target: target)
        }
        meter?.leaves()
    }

    /// Some of a request's body.
    ///
    /// - Returns: what may leave now.
    mutating func leave(_ bytes: ByteBuffer) throws(EgressRefusal) -> ByteBuffer {
        guard let watch, leaving != nil else { return bytes }
        guard let going = leaving?.take(bytes) else { throw watch.refusalOfBody() }
        return going
    }

    /// The request is over.
    ///
    /// - Returns: what was held back of its body.
    mutating func leaveEnd(_ trailers: HTTPFields) throws(EgressRefusal) -> ByteBuffer {
        guard let watch, leaving != nil else { return ByteBuffer() }
        if let refusal = watch.refusal(ofTrailers: trailers) { throw refusal }
        guard let rest = leaving?.end() else { throw watch.refusalOfBody() }
        return rest
    }

    /// The head of an answer, announcements too.
    mutating func come(_ head: ResponseHead) throws(EgressRefusal) -> ResponseHead {
        guard answer != nil else { return head }
        var head = try answer?.take(head) ?? head
        if let injection, let value, (200..<400).contains(head.status) { values.accepted(value, of: injection.secret) }
        if !head.isInformational { meter?.answer(&head) }
        return head
    }

    /// Some of an answer's body.
    ///
    /// - Returns: what goes on to the client now.
    mutating func come(_ bytes: ByteBuffer) throws(EgressRefusal) -> ByteBuffer {
        guard answer != nil else { return bytes }
        return metered(try answer?.take(bytes) ?? bytes)
    }

    /// The answer is whole.
    ///
    /// - Returns: what was held back of its body.
    mutating func comeEnd(_ trailers: HTTPFields) throws(EgressRefusal) -> ByteBuffer {
        guard answer != nil else { return ByteBuffer() }
        var rest = metered(try answer?.end(trailers) ?? ByteBuffer())
        if var last = meter?.end() { rest.writeBuffer(&last) }
        meter = nil
        return rest
    }

    private func metered(_ bytes: ByteBuffer) -> ByteBuffer {
        guard let meter, bytes.readableBytes > 0 else { return bytes }
        return meter.answer(bytes)
    }

    /// What is told of a service, which may hold what the service said.
    func telling(_ text: String) -> String {
        answer?.holds(text) == true ? "what the service said of it holds a secret" : text
    }

    /// Nothing more comes.
    mutating func end() {
        meter?.abort()
        meter = nil
    }
}
