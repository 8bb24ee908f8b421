package import BrokerLink

/// Keeps the files of logins that a run's broker uses. All of it is called on the supervisor's thread, and none of it
/// waits.
package protocol LoginKeeping: AnyObject {
    /// The broker wants the file of a login as it is now, and nobody else to renew it.
    func stale(_ place: UInt16)
    /// It renewed the login: the file is to be written.
    func renewed(_ place: UInt16, _ tokens: LoginTokens)
    /// Others may renew it.
    func settled(_ place: UInt16)
    /// What time brings; nanoseconds until it must be called again, nil where nothing waits.
    func tick() -> UInt64?
    /// True while the broker may have to tell of a login that it renewed.
    var isBusy: Bool { get }
}
