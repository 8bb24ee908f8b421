import BrokerLink
import Domain
import Egress
package import NIOCore

/// The resolver of one sandbox. It knows what the policy lists and asks nobody: no question leaves, so none can carry
/// anything out.
package final class NamesResponder: Sendable {
    /// How a question came.
    package enum Way: Sendable { case datagram, stream }

    /// What is to be sent back.
    package enum Answering: Sendable {
        case now([UInt8])
        /// Once somebody listens where the answer leads.
        case later(EventLoopFuture<[UInt8]>)
        /// Nothing: it was no question.
        case silence
        /// Nothing: there are too many questions. The program asks again, or its stream is closed.
        case tooMany
    }

    /// Makes what a name needs to be reached on these ports, unless it is there; the answer waits for it.
    package typealias OnName = @Sendable (SyntheticName, [UInt16]) -> EventLoopFuture<Void>

    package let names: SyntheticNames
    private let settings: SettingsStore
    private let records: NameRecords
    private let announcements: NameAnnouncements
    private let rate = EventRate()
    private let seconds: @Sendable () -> Double

    /// - Parameters:
    ///   - seconds: since the broker began, of a clock that never goes back.
    ///   - onName: called for each name before its first address goes out, and again when the policy gives it more
    ///     ports.
    package init(
        settings: SettingsStore,
        names: SyntheticNames,
        ledger: any ConnectionLedger,
        seconds: @escaping @Sendable () -> Double,
        onName: @escaping OnName
    ) {
        self.settings = settings
        self.names = names
        self.seconds = seconds
        records = NameRecords(ledger, seconds: seconds)
        announcements = NameAnnouncements(onName)
    }

    package func respond(to message: [UInt8], by way: Way, on loop: any EventLoop) -> Answering {
        let settings = settings.current
        guard rate.take(perSecond: settings.limits.questionsPerSecond, at: seconds()) else {
            records.refused("(all names)", Self.tooMany(settings.limits))
            return .tooMany
        }
        switch DNSQuery.read(message) {
        case .ignored: return .silence
        case .fault(let header, let code):
            return .now(DNSReply(to: header, code: code).bytes(atMost: DNSReply.plainBytesMax))
        case .query(let query):
            let bytesMax = Self.bytesMax(query, way)
            if let edns = query.edns, edns.version != 0 {
                return .now(DNSReply(to: query, code: .badVersion).bytes(atMost: bytesMax))
            }
            return answer(query, settings, bytesMax, on: loop)
        }
    }

    /// Tells of names that have their addresses already and may now be reached on more ports: programs keep answers.
    package func announceAgain(on loop: any EventLoop) -> EventLoopFuture<Void> {
        let policy = settings.current.policy
        let waiting = names.all.compactMap { name in
            announcements.announce(name, policy.ports(of: name.name), on: loop)
        }
        return EventLoopFuture.andAllSucceed(waiting, on: loop)
    }

    private func answer(
        _ query: DNSQuery,
        _ settings: BrokerSettings,
        _ bytesMax: Int,
        on loop: any EventLoop
    ) -> Answering {
        var reply = DNSReply(to: query)
        if let refusal = PlaceholderNames.refusal(of: query.question.name.description, settings) {
            refuse(&reply, query, refusal)
            return .now(reply.bytes(atMost: bytesMax))
        }
        switch NameRuling(query.question, settings.policy) {
        case .nothing: break
        case .noService: reply.code = .noSuchName
        case .local(let addresses): reply.records = addresses.map(DNSReply.Record.address)
        case .localName: reply.records = [.pointer(.localhost)]
        case .reverse(let address):
            guard let name = names.name(of: address) else {
                reply.code = .noSuchName
                break
            }
            reply.records = [.pointer(DNSName(name))]
        case .refused(let refusal):
            let host = query.question.name.folded.description
            refuse(&reply, query, LoginProvider.explained(refusal, host, settings))
        case .listed(let name, let family):
            do throws(EgressRefusal) {
                let synthetic = try names.addresses(of: name, limits: settings.limits)
                reply.records = [.address(family == .v4 ? synthetic.v4 : synthetic.v6)]
                return announced(reply, query, synthetic, settings.policy, bytesMax, on: loop)
            } catch {
                refuse(&reply, query, error)
            }
        }
        return .now(reply.bytes(atMost: bytesMax))
    }

    private func announced(
        _ reply: DNSReply,
        _ query: DNSQuery,
        _ synthetic: SyntheticName,
        _ policy: NetworkPolicy,
        _ bytesMax: Int,
        on loop: any EventLoop
    ) -> Answering {
        let pending = announcements.announce(synthetic, policy.ports(of: synthetic.name), on: loop)
        guard let pending else { return .now(reply.bytes(atMost: bytesMax)) }
        return .later(
            pending.map { reply.bytes(atMost: bytesMax) }.recover { error in
                // Nobody listens there: an address would only lead to a connection that is refused without a reason.
                var failed = reply
                failed.records = []
                if let refusal = error as? EgressRefusal {
                    self.refuse(&failed, query, refusal)
                } else {
                    failed.code = .failed
                }
                return failed.bytes(atMost: bytesMax)
            }
        )
    }

    /// A refusal that ends the look-up at once. A client that speaks EDNS is told that it was refused and why. One that
    /// does not gets "no such name": on "refused", musl waits until its time is over, and the GNU C library asks again
    /// and then calls it temporary, so that programs try for minutes.
    private func refuse(_ reply: inout DNSReply, _ query: DNSQuery, _ refusal: EgressRefusal) {
        reply.code = query.edns == nil ? .noSuchName : .refused
        let remedy = refusal.remedy.map { ". " + $0 } ?? ""
        reply.explanation = "\(refusal.rule): \(refusal.reason)\(remedy)"
        records.refused(query.question.name.folded.description, refusal)
    }

    private static func bytesMax(_ query: DNSQuery, _ way: Way) -> Int {
        switch way {
        case .stream: DNSReply.streamBytesMax
        case .datagram:
            min(max(Int(query.edns?.payloadBytes ?? 0), DNSReply.plainBytesMax), DNSReply.datagramBytesMax)
        }
    }

    private static func tooMany(_ limits: BrokerLimits) -> EgressRefusal {
        EgressRefusal(
            RuleID("limit-questions"),
            "there were more than \(limits.questionsPerSecond) questions for names in a second, and some got no answer",
            remedy: "See which program asks so often."
        )
    }
}
