/// What a journal line reports. The journal knows of these only which end a run.
package enum RecordType: String, Sendable, CaseIterable {
    case runCreated = "RUN_CREATED"
    case grantIssued = "GRANT_ISSUED"
    /// What was seen of a command's processes; one or a few before its end.
    case commandObserved = "COMMAND_OBSERVED"
    /// Something that a command tried and a wall refused.
    case accessDenied = "ACCESS_DENIED"
    /// A connection that went out of a sandbox came to its end.
    case connectionClosed = "CONNECTION_CLOSED"
    /// A connection, a request or a question for a name that the policy refused; once for each kind.
    case connectionRefused = "CONNECTION_REFUSED"
    /// The placeholder of a secret was sent where it does not belong, or a service sent a secret back; once for each
    /// kind.
    case credentialAlarm = "CREDENTIAL_ALARM"
    /// A person let a live run reach more, until an end or for as long as it lives.
    case networkAllowed = "NETWORK_ALLOWED"
    /// A person took entries from a live run.
    case networkRevoked = "NETWORK_REVOKED"
    /// Entries whose time was over ended.
    case networkExpired = "NETWORK_EXPIRED"
    /// The sums of a run's network.
    case networkEnded = "NETWORK_ENDED"
    /// A request to a model is about to leave, with what it may use at most.
    case modelRequested = "MODEL_REQUESTED"
    /// It is over, with what it used.
    case modelSettled = "MODEL_SETTLED"
    /// The sums of what a run used of models.
    case modelsEnded = "MODELS_ENDED"
    case commandExited = "COMMAND_EXITED"
    case changesRecorded = "CHANGES_RECORDED"
    /// A direct run's changes, which are in the project, were looked at.
    case liveChangesChecked = "LIVE_CHANGES_CHECKED"
    case applyStarted = "APPLY_STARTED"
    case changesApplied = "CHANGES_APPLIED"
    case applyRolledBack = "APPLY_ROLLED_BACK"
    case changesDiscarded = "CHANGES_DISCARDED"
    case runCompleted = "RUN_COMPLETED"
    case runFailed = "RUN_FAILED"
    case runPruned = "RUN_PRUNED"
    case runHead = "RUN_HEAD"
    /// An unfinished tail was cut when the journal was opened after a crash.
    case recovered = "RECOVERED"

    /// Nothing follows such an event in a run's journal.
    package var isTerminal: Bool { self == .runCompleted || self == .runFailed }
}
