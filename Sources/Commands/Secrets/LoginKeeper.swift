import BrokerLink
import Domain
import Files
import Sandbox

/// Keeps the files of a run's logins: it gives the broker a file as it is now, sees to it that nobody else renews the
/// login meanwhile, and writes back what the broker was given.
final class LoginKeeper: LoginKeeping {
    /// A login that the broker is at.
    private final class Work {
        /// The refresh token in the file that the broker got.
        let old: SecretText?
        let endNanoseconds: UInt64
        private let lock: LoginLock

        init(_ lock: consuming LoginLock, old: SecretText?, endNanoseconds: UInt64) {
            self.lock = lock
            self.old = old
            self.endNanoseconds = endNanoseconds
        }
    }

    /// A broker that has not said anything by then does not.
    private static let workNanoseconds: UInt64 = 60_000_000_000
    /// How soon it is looked again whether others are done.
    private static let againNanoseconds: UInt64 = 100_000_000

    private let places: [UInt16: LoginPlace]
    private let caller: Caller
    private let locks: Directory
    private let time: SystemTime
    private let console: Console
    private unowned let network: NetworkService
    private var wanted: Set<UInt16> = []
    private var works: [UInt16: Work] = [:]

    private init(_ network: NetworkService, _ context: RunContext, _ places: [UInt16: LoginPlace]) throws {
        self.network = network
        self.places = places
        caller = context.caller
        console = context.console
        time = context.assembly.time
        locks = try context.place.state.directory("logins")
    }

    /// From now on the run's logins are renewed; nothing for a run that has none.
    static func begin(_ network: NetworkService, _ context: RunContext) throws {
        let places = context.place.secrets.logins
        guard !places.isEmpty else { return }
        network.give(to: try LoginKeeper(network, context, places))
    }

    var isBusy: Bool { !works.isEmpty }

    func stale(_ place: UInt16) {
        guard places[place] != nil, works[place] == nil else { return }
        wanted.insert(place)
    }

    func renewed(_ place: UInt16, _ tokens: LoginTokens) {
        guard let login = places[place], let work = works.removeValue(forKey: place) else { return }
        withExtendedLifetime(work) {
            do {
                let writer = LoginFileWriter(place: login, caller: caller)
                let now = time.unixMilliseconds()
                if try writer.write(tokens, over: work.old, unixMilliseconds: now) { return }
                console.remark("note: \(Printable.text(login.path)) holds another login now, which stays")
            } catch {
                let reason = (error as? any UserFacingError)?.message ?? "\(error)"
                console.remark(
                    "warning: the renewed login \(login.name) cannot be written to \(Printable.text(login.path)): "
                        + "\(reason); log in again outside after this run"
                )
            }
        }
    }

    func settled(_ place: UInt16) {
        works[place] = nil
        wanted.remove(place)
    }

    func tick() -> UInt64? {
        let now = time.monotonicNanoseconds()
        for (place, work) in works where work.endNanoseconds <= now { works[place] = nil }
        for place in wanted { if begin(place, now) { wanted.remove(place) } }
        if !wanted.isEmpty { return Self.againNanoseconds }
        return works.values.map { $0.endNanoseconds > now ? $0.endNanoseconds - now : 0 }.min()
    }

    /// False where somebody else is at it.
    private func begin(_ place: UInt16, _ now: UInt64) -> Bool {
        guard let login = places[place] else { return true }
        do {
            guard let lock = try LoginLock.take(login, locks) else { return false }
            let memory: Int32
            let old: SecretText?
            if let bytes = try login.bytes(caller: caller), bytes.count > 0 {
                old = (try? LoginFile(bytes.bytes, form: login.form))?.tokens.refresh
                memory = try bytes.sealed()
            } else {
                // The broker hears that nobody is logged in any more.
                old = nil
                memory = try SealedMemory.make(Array("{}".utf8))
            }
            let end = now + Self.workNanoseconds
            works[place] = Work(lock, old: old, endNanoseconds: end)
            let descriptor = Descriptor(owning: memory)
            network.renew(secret: place, memory: descriptor.raw)
        } catch {
            let reason = (error as? any UserFacingError)?.message ?? "\(error)"
            console.remark("warning: \(reason)")
        }
        return true
    }
}
