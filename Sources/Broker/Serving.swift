import BrokerLink
import Glibc
import Synchronization

/// Everything that serves one sandbox, put together: listeners, doors, names and what takes connections over.
package final class Serving: Sendable {
    private let settings: SettingsStore
    private let ledger: any ConnectionLedger
    private let listeners = Mutex<[HandedListener]>([])

    package init(settings: SettingsStore, ledger: any ConnectionLedger) throws {
        self.settings = settings
        self.ledger = ledger
    }

    deinit { listeners.withLock { for listener in $0 { close(listener.descriptor) } } }

    /// The certificate of the run's own authority, PEM; empty where nothing is terminated.
    package var authority: String { "" }

    /// A socket to serve on; it is this object's to close. Before ``begin()`` nobody connects to it.
    package func take(_ listener: HandedListener) throws { listeners.withLock { $0.append(listener) } }

    /// By this, listeners for ports from 1024 on are had when a name gets its address.
    package func take(later: LaterListeners) {}

    /// All that there is at the start was handed over.
    package func begin() throws {}

    /// The run is over: every connection is closed, and recorded before this returns.
    package func end() {}
}
