package import Domain

/// The commit gate's rules over names, kinds, modes and links. Stub: to be filled in.
package enum GateRules {
    /// The strongest finding on one change, or nil if it is ordinary. Changes inside git directories are not judged
    /// here.
    package static func judge(_ change: Change) -> GateFinding? { nil }
}
