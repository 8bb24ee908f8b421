import BrokerLink
import Domain
import Egress
import Files
import Journal
import Sandbox

/// What a run may reach while it lives: it takes the person's requests, ends what has its time, and has each change
/// written down before it is in force.
final class LiveGrants {
    /// Where runs that live take requests, below the state directory.
    static let place = "control"

    private let base: BrokerSettings
    private unowned let network: NetworkService
    private let time: SystemTime
    private let records: RunRecords
    /// Writes down, in the name of a principal.
    private let write: (Record, Principal) throws -> Void
    private let person: Principal
    private var book: GrantBook

    private init(
        _ network: NetworkService,
        _ begun: RunNetwork,
        _ ledger: RunLedger
    ) {
        self.network = network
        base = begun.settings
        time = ledger.context.assembly.time
        records = ledger.records
        let journal = ledger.journal
        write = { record, actor in try journal.append(record, actor: actor) }
        person = ledger.context.principal
        let now = time.bootNanoseconds()
        book = GrantBook(
            begun.settings.policy,
            ends: begun.temporary.map { ($0.rule, now + $0.milliseconds * 1_000_000) },
            isForge: begun.settings.isForge
        )
    }

    /// From now on the run takes requests. Without a place for its socket it takes none, and says so.
    static func begin(_ network: NetworkService, _ begun: RunNetwork, _ ledger: RunLedger) {
        let grants = LiveGrants(network, begun, ledger)
        let context = ledger.context
        var socket: ControlSocket?
        do {
            let directory = try context.place.state.directory(place)
            socket = try ControlSocket(context.run.rawValue, in: directory) { grants.answer($0) }
        } catch {
            context.console.remark("warning: this run takes no `bailey egress allow`: \(error)")
        }
        network.give(to: NetworkService.Steward(socket: socket) { grants.tick() })
    }

    /// Takes away what a killed run left.
    static func removeSocket(of run: RunID, _ state: borrowing StateDirectory) throws(SystemError) {
        guard let directory = try state.handle.directoryIfPresent(at: [Array(place.utf8)]),
            try directory.isPresent(Array(run.rawValue.utf8))
        else { return }
        try directory.removeFile(Array(run.rawValue.utf8))
    }

    private func answer(_ bytes: [UInt8]) -> [UInt8] {
        guard let request = GrantRequest(bytes) else {
            return GrantAnswer.refused(reason: "the request is not understood", remedy: nil).bytes
        }
        do {
            try perform(request)
            return GrantAnswer.done.bytes
        } catch let refusal as EgressRefusal {
            return GrantAnswer.refused(reason: refusal.reason, remedy: refusal.remedy).bytes
        } catch {
            let reason = (error as? any UserFacingError)?.message ?? "\(error)"
            return GrantAnswer.refused(reason: reason, remedy: nil).bytes
        }
    }

    private func perform(_ request: GrantRequest) throws {
        // What ended meanwhile is no longer there to be asked about.
        _ = tick()
        var next = book
        switch request.verb {
        case .allow:
            let end = request.milliseconds.map { time.bootNanoseconds() + $0 * 1_000_000 }
            let rules = try next.allow(request.entries, until: end)
            try change(to: next, records.networkAllowed(rules, milliseconds: request.milliseconds), person)
        case .revoke:
            let rules = try next.revoke(request.entries)
            try change(to: next, records.networkTaken(rules, .networkRevoked), person)
        }
    }

    /// Ends what has its time. Returns when the next has, in nanoseconds from now.
    private func tick() -> UInt64? {
        let now = time.bootNanoseconds()
        if let end = book.nextEnd, end > now { return end - now }
        guard book.nextEnd != nil else { return nil }
        var next = book
        let ended = next.expire(at: now)
        if !ended.isEmpty {
            // A change that fails ends the network, and with it all of this.
            try? change(to: next, records.networkTaken(ended, .networkExpired), .system)
        }
        return book.nextEnd.map { $0 > now ? $0 - now : 0 }
    }

    private func change(to next: GrantBook, _ record: Record, _ actor: Principal) throws {
        do {
            try write(record, actor)
        } catch {
            network.end(because: "its records cannot be written down: \(error)")
            throw error
        }
        book = next
        var settings = base
        settings.policy = next.policy
        try network.replace(settings)
    }
}
