package import BrokerLink
import Synchronization

/// The settings in force. A decision reads them once and keeps to that value.
package final class SettingsStore: Sendable {
    private struct State {
        var settings: BrokerSettings
        var version = 0
        var listeners: [@Sendable (BrokerSettings) -> Void] = []
    }

    private let state: Mutex<State>

    package init(_ settings: BrokerSettings) { state = Mutex(State(settings: settings)) }

    package var current: BrokerSettings { state.withLock { $0.settings } }

    /// Counts replacements, so that whoever keeps something that follows from the settings knows when it is stale.
    package var version: Int { state.withLock { $0.version } }

    /// Puts other settings in force, then tells everyone who asked, on the caller's thread.
    package func replace(_ settings: BrokerSettings) {
        let listeners = state.withLock { state in
            state.settings = settings
            state.version += 1
            return state.listeners
        }
        for listener in listeners { listener(settings) }
    }

    /// Calls a function at every replacement from now on.
    package func onReplace(_ listener: @escaping @Sendable (BrokerSettings) -> Void) {
        state.withLock { $0.listeners.append(listener) }
    }
}
