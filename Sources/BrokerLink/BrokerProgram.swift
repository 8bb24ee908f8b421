/// How the broker's program is called.
package enum BrokerProgram {
    package static let name = "bailey-broker"
    /// In place of the account's number: it shows its own walls and ends.
    package static let checkWord = "--check"
}
