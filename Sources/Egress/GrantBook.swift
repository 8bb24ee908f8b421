import Domain

/// What one run may reach while it lives: the entries that it began with, those that a person let it have later, and
/// when each ends. A value: it changes as a whole or not at all, and does nothing.
package struct GrantBook: Sendable {
    private struct Entry: Sendable {
        let rule: NetworkRule
        /// Nanoseconds of the clock that the caller goes by; nil for as long as the run lives.
        var endNanoseconds: UInt64?
        /// Given while the run lived.
        let isGrant: Bool
    }

    /// More entries than a person gives to one run.
    private static let entriesMax = 4096

    private let base: NetworkPolicy
    /// Names that the run's certificate authority may vouch for: those that were listed at the start.
    private let vouched: [NetworkRule.Names]
    private let isForge: @Sendable (HostName) -> Bool
    private var entries: [Entry]

    /// - Parameters:
    ///   - policy: what the run begins with.
    ///   - ends: entries of the policy that end before the run does.
    ///   - isForge: hosts whose requests must be seen in any case.
    package init(
        _ policy: NetworkPolicy,
        ends: [(rule: NetworkRule, nanoseconds: UInt64)] = [],
        isForge: @escaping @Sendable (HostName) -> Bool
    ) {
        base = policy
        vouched = (policy.allow ?? []).map(\.names) + policy.upstreams.map { .exactly($0.name) }
        self.isForge = isForge
        entries = (policy.allow ?? []).map { Entry(rule: $0, endNanoseconds: nil, isGrant: false) }
        for end in ends {
            // The last of equal ones: an operator's own stands before it and stays.
            let place = entries.lastIndex { $0.rule == end.rule && $0.endNanoseconds == nil }
            if let place { entries[place].endNanoseconds = end.nanoseconds }
        }
    }

    /// The policy that these entries make.
    package var policy: NetworkPolicy {
        var policy = base
        policy.allow = entries.map(\.rule)
        return policy
    }

    /// When the next entry ends; nil where none does.
    package var nextEnd: UInt64? { entries.compactMap(\.endNanoseconds).min() }

    /// Adds entries, all or none. What was granted before and is granted again gets the new end.
    ///
    /// - Throws: for an entry that is not understood, that there is already, or that nothing could come of.
    package mutating func allow(_ texts: [String], until end: UInt64?) throws(EgressRefusal) -> [NetworkRule] {
        var next = self
        var rules: [NetworkRule] = []
        for text in texts {
            let rule = try NetworkRule(text)
            next.entries.removeAll { $0.isGrant && $0.rule.isSame(as: rule) }
            try next.check(rule)
            next.entries.append(Entry(rule: rule, endNanoseconds: end, isGrant: true))
            rules.append(rule)
        }
        self = next
        return rules
    }

    /// Takes entries away, all or none, whoever listed them.
    package mutating func revoke(_ texts: [String]) throws(EgressRefusal) -> [NetworkRule] {
        var next = self
        var rules: [NetworkRule] = []
        for text in texts {
            let rule = try NetworkRule(text)
            guard next.entries.contains(where: { $0.rule.isSame(as: rule) }) else { throw next.unknown(rule) }
            next.entries.removeAll { $0.rule.isSame(as: rule) }
            rules.append(rule)
        }
        self = next
        return rules
    }

    /// Takes away what has ended.
    package mutating func expire(at now: UInt64) -> [NetworkRule] {
        let ended = entries.filter { $0.endNanoseconds.map { $0 <= now } ?? false }
        guard !ended.isEmpty else { return [] }
        entries.removeAll { $0.endNanoseconds.map { $0 <= now } ?? false }
        return ended.map(\.rule)
    }

    private func check(_ rule: NetworkRule) throws(EgressRefusal) {
        guard entries.count < Self.entriesMax else {
            throw EgressRefusal(RuleID("grant-limit"), "this run has \(Self.entriesMax) entries, and that is the limit")
        }
        if let listed = entries.first(where: { $0.rule.includes(rule) }) {
            let isTemporary = listed.endNanoseconds != nil
            throw EgressRefusal(
                RuleID("grant-listed"),
                "\(rule) is listed already: \(listed.rule)",
                remedy: isTemporary ? "It ends by itself; revoke it first to list it anew." : nil
            )
        }
        if case .exactly(let name) = rule.names,
            let upstream = base.upstreams.first(where: { $0.name == name && $0.port == rule.port })
        {
            throw EgressRefusal(RuleID("grant-listed"), "\(upstream) is a declared upstream and may be reached already")
        }
        if let narrowed = base.narrowed, !narrowed.contains(where: { $0.overlaps(rule) }) {
            throw EgressRefusal(
                RuleID("grant-narrowed"),
                "the project's own network: allow does not cover \(rule), so nothing would come of it",
                remedy: "List it in the project's bailey.yml too, and start a new run."
            )
        }
        try checkCertificate(rule)
    }

    /// A host whose requests must be seen needs a certificate, and the run's authority has none for other names than
    /// those that it began with.
    private func checkCertificate(_ rule: NetworkRule) throws(EgressRefusal) {
        guard !vouched.contains(where: { $0.covers(rule.names) }) else { return }
        let name = rule.names.domain
        var next = base
        next.allow = entries.map(\.rule) + [rule]
        let sight = next.sight(ConnectTarget(host: .name(name), port: rule.port))
        let isSeenForge = isForge(name) && rule.port != 22
        guard rule.port != 80, rule.scheme != .http, isSeenForge || sight == .requests && rule.isExact else { return }
        throw EgressRefusal(
            RuleID("grant-certificate"),
            "requests to \(name) must be seen, and a name that is listed later gets no certificate in this run",
            remedy: "Start a new run with it: --allow-\(rule.scheme == nil ? "host" : "net") '\(rule)'."
        )
    }

    private func unknown(_ rule: NetworkRule) -> EgressRefusal {
        let isUpstream = base.upstreams.contains { rule.covers($0.name) && $0.port == rule.port }
        return EgressRefusal(
            RuleID("grant-unknown"),
            isUpstream ? "\(rule) is a declared upstream, and no entry" : "\(rule) is not listed in this run",
            remedy: "Its entries are in `bailey egress log`, and in the run's record."
        )
    }
}

extension NetworkRule {
    /// True for the same destination, whatever the spelling.
    package func isSame(as other: NetworkRule) -> Bool {
        (names, port, scheme) == (other.names, other.port, other.scheme)
            && methods == other.methods && prefix == other.prefix
    }

    /// True if everything that the other entry covers is covered by this one.
    func includes(_ other: NetworkRule) -> Bool {
        guard names.covers(other.names), port == other.port else { return false }
        guard scheme == nil || scheme == other.scheme else { return false }
        if let methods { guard other.methods.map(methods.isSuperset) ?? false else { return false } }
        return prefix == nil || prefix == other.prefix
    }

    /// True if there is a name and a port that both cover.
    func overlaps(_ other: NetworkRule) -> Bool {
        port == other.port && (names.covers(other.names) || other.names.covers(names))
    }

    fileprivate var isExact: Bool { if case .exactly = names { true } else { false } }
}

extension NetworkRule.Names {
    /// True if it covers every name that the other does.
    func covers(_ other: NetworkRule.Names) -> Bool {
        switch (self, other) {
        case (.exactly(let mine), .exactly(let theirs)): mine == theirs
        case (.exactly, .below): false
        case (.below(let mine), .exactly(let theirs)): theirs.isBelow(mine)
        case (.below(let mine), .below(let theirs)): theirs == mine || theirs.isBelow(mine)
        }
    }

    /// The name, or what all its names lie below.
    fileprivate var domain: HostName {
        switch self {
        case .exactly(let name), .below(let name): name
        }
    }
}
