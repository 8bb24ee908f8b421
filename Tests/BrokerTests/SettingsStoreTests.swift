import Broker
import BrokerLink
import Egress
import Synchronization
import Testing

@Suite("settings are replaced whole")
struct SettingsStoreTests {
    @Test func everyListenerHearsOfTheNewSettings() throws {
        let store = SettingsStore(BrokerSettings())
        let heard = Mutex<[BrokerSettings]>([])
        store.onReplace { settings in heard.withLock { $0.append(settings) } }
        var settings = BrokerSettings()
        settings.policy = NetworkPolicy(allow: [try NetworkRule("api.example.com")])
        store.replace(settings)
        #expect(store.current == settings)
        #expect(store.version == 1)
        #expect(heard.withLock { $0 } == [settings])
    }
}
