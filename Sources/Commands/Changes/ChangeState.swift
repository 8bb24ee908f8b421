import Domain

/// What became of a run's changes.
enum ChangeState: String, CaseIterable, Sendable {
    case none, applied, held, discarded
}
