package import Domain

/// What somebody who understands a directory's format says of a change in it.
package enum Inspection: Sendable {
    /// Not in such a directory: the name rules judge it.
    case notMine
    /// Part of ordinary work.
    case ordinary
    /// Equal in meaning to what was there: neither a change nor a conflict.
    case unchanged
    /// Left out whatever happens to the rest, because leaving it out is safe and applying it is not: object deletions,
    /// lock files. The finding says why; it holds nothing up.
    case dropped(GateFinding)
    case finding(GateFinding)
}

/// Judges changes inside directories whose content has a meaning of its own (git directories). Implemented above.
package protocol ChangeInspector {
    /// One answer per change, in order.
    func inspect(_ changes: [Change], trees: [WorkspaceTree]) throws -> [Inspection]
}
