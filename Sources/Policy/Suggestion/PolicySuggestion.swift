import Domain
import Egress

/// The smallest entries of a configuration that would have allowed what runs were refused, and what no entry allows.
///
/// It decides nothing: a person reads it and takes lines of it. But the names in it were chosen by whoever asked for
/// them, so an entry is built from what was parsed and never from text, covers exactly what was seen, is never a
/// wildcard, and is there only if the product's own reader and its own decision take it for what it says.
package struct PolicySuggestion: Sendable {
    package enum Key: String, Sendable {
        case networkAllow = "network.allow"
        case readable = "sandbox.readable"
    }

    package struct Entry: Sendable, Equatable {
        package let key: Key
        /// As it stands in a file, without quotes.
        package let text: String
        /// What was refused, in words.
        package let reason: String
        package var cautions: [String]
        package let sources: [RefusedAccess.Source]
        package let count: UInt64
    }

    /// Something for which there is no entry.
    package struct Refusal: Sendable, Equatable {
        package let what: String
        package let why: String
        package fileprivate(set) var sources: [RefusedAccess.Source]
        package fileprivate(set) var count: UInt64
    }

    /// Entries of each list; a person looks at each one.
    package static let entriesMax = 40
    static let refusalsMax = 100

    /// For the operator's file, the best founded first.
    package private(set) var entries: [Entry] = []
    /// For the project's own file, which narrows.
    package private(set) var projectEntries: [Entry] = []
    package private(set) var refusals: [Refusal] = []
    /// Entries and refusals that found no room.
    package private(set) var leftOut = 0

    private let configuration: Configuration

    /// - Parameters:
    ///   - configuration: what is in force now, the project's list included.
    ///   - alarmed: hosts to which a secret was on its way.
    ///   - judgeReadable: why a path cannot be shown to commands; nil if it can.
    package init(
        _ accesses: [RefusedAccess],
        configuration: Configuration,
        alarmed: Set<String> = [],
        judgeReadable: (String) -> String?
    ) {
        self.configuration = configuration
        var found = Candidates()
        for access in accesses {
            if let host = access.host, alarmed.contains(host) {
                refuse(access, "a secret was on its way there in one of these runs: look at its alarms")
                continue
            }
            switch access.what {
            case .execution(let path) where access.rule == "not-visible": add(path, access, judgeReadable(path))
            default:
                do throws(EgressRefusal) {
                    found.add(try Candidate(access, isForge: isForge), access)
                } catch {
                    refuse(access, error.reason + (error.remedy.map { ". " + $0 } ?? ""))
                }
            }
        }
        for candidate in found.merged { take(candidate) }
        addFamilies(found.merged)
        rank()
    }

    package var isEmpty: Bool { entries.isEmpty && projectEntries.isEmpty && refusals.isEmpty }

    private func isForge(_ name: HostName) -> Bool {
        KnownForges.contains(name) || configuration.forges.contains { name == $0 || name.isBelow($0) }
    }

    private mutating func refuse(_ access: RefusedAccess, _ why: String) {
        let known = refusals.firstIndex { $0.what == access.text && $0.why == why }
        if let known {
            refusals[known].sources.append(access.source)
            refusals[known].count = refusals[known].count.saturatingAdd(access.count)
        } else if refusals.count < Self.refusalsMax {
            refusals.append(Refusal(what: access.text, why: why, sources: [access.source], count: access.count))
        } else {
            leftOut += 1
        }
    }

    private mutating func add(_ path: String, _ access: RefusedAccess, _ problem: String?) {
        let problem = problem ?? ReadablePath.problem(path).map { "it " + $0 }
        if let problem { return refuse(access, problem) }
        guard !configuration.readable.contains(path) else {
            return refuse(access, "the configuration shows it already")
        }
        guard !entries.contains(where: { $0.key == .readable && $0.text == path }) else { return }
        let entry = Entry(
            key: .readable,
            text: path,
            reason: "a program that commands do not see",
            cautions: ["what it needs beside itself is not known: name its directory if it does not start"],
            sources: [access.source],
            count: access.count
        )
        guard SuggestionText.isRead(entry) else { return refuse(access, "it cannot be written in the file") }
        entries.append(entry)
    }

    private mutating func take(_ candidate: Candidate) {
        let network = configuration.network
        var operators = network
        operators.narrowed = nil
        let isListed = candidate.isAllowed(by: operators)
        let narrowing = network.narrowed.map { NetworkPolicy(allow: $0, addresses: network.addresses) }
        let isNarrowed = narrowing.map { !candidate.isAllowed(by: $0) } ?? false
        guard !isListed || isNarrowed else {
            for access in candidate.accesses { refuse(access, "the configuration allows it already") }
            return
        }
        let cautions = HostCaution.cautions(of: candidate, isForge: isForge(candidate.name), configuration)
        let entry = Entry(
            key: .networkAllow,
            text: candidate.text,
            reason: candidate.reason,
            cautions: cautions,
            sources: candidate.accesses.map(\.source),
            count: candidate.count
        )
        // What the reader and the decision do not take for what it says is not suggested.
        guard SuggestionText.isRead(entry), let rule = try? NetworkRule(candidate.text),
            candidate.isAllowed(by: NetworkPolicy(allow: [rule]))
        else {
            for access in candidate.accesses { refuse(access, "no entry can be written for it") }
            return
        }
        if !isListed { entries.append(entry) }
        if isNarrowed { projectEntries.append(entry) }
    }

    /// Data can leave in names that are asked for: many of one domain are pointed out.
    private mutating func addFamilies(_ candidates: [Candidate]) {
        let families = Dictionary(grouping: candidates, by: { HostCaution.family(of: $0.name) })
        func mark(_ entries: inout [Entry]) {
            for index in entries.indices {
                guard let candidate = candidates.first(where: { $0.text == entries[index].text }) else { continue }
                let family = HostCaution.family(of: candidate.name)
                let count = Set((families[family] ?? []).map(\.name)).count
                guard count >= HostCaution.familyMax else { continue }
                entries[index].cautions.append(
                    "\(count) different names of \(family) were asked for: data can leave in names"
                )
            }
        }
        mark(&entries)
        mark(&projectEntries)
    }

    /// What nothing is said against comes first, then what was tried more often.
    private mutating func rank() {
        func ranked(_ entries: [Entry]) -> [Entry] {
            entries.sorted { left, right in
                if left.cautions.count != right.cautions.count { return left.cautions.count < right.cautions.count }
                return left.count == right.count ? left.text < right.text : left.count > right.count
            }
        }
        entries = ranked(entries)
        projectEntries = ranked(projectEntries)
        let room = min(Self.entriesMax, ConfigurationKey.listEntriesMax - (configuration.network.allow ?? []).count)
        leftOut += max(0, entries.count - room)
        entries = Array(entries.prefix(max(0, room)))
        projectEntries = Array(projectEntries.prefix(Self.entriesMax))
    }
}
