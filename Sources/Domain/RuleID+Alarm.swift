/// Rules whose denials are more than a refusal: somebody tries to take a secret, or a service gives one away.
extension RuleID {
    /// What stands inside for a secret was sent where it does not belong.
    package static let credentialPlaceholder = RuleID("credential-placeholder")
    /// An answer held the secret that its request carried.
    package static let credentialReflected = RuleID("credential-reflected")

    /// True where a person should know at once.
    package var isAlarm: Bool { self == .credentialPlaceholder || self == .credentialReflected }

    /// True where what was refused is the target itself, so that target and rule say all of it. Other rules are about
    /// what was said to the target, which only the reason tells.
    package var isAboutTarget: Bool {
        ["network-", "address-", "name-", "host-", "git-"].contains(where: rawValue.hasPrefix)
    }
}
