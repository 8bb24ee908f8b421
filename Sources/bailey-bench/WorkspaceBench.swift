import Authority
import Domain
import Files
import Glibc
import Journal
import Workspace

/// The requests that concern one workspace after the other: `prepare PROJECT STATE`, then, when a command has worked in
/// the view, `list` and one of `apply` and `discard`.
struct WorkspaceBench {
    private struct Prepared {
        let plan: WorkspacePlan
        let stored: StoredRun
        let projectDirectory: String
        var changes: ChangeSet?
    }

    private let time = BenchTime()
    private var prepared: Prepared?

    mutating func measure(_ words: [String]) throws -> JSONValue {
        switch words.first {
        case "prepare" where words.count == 3: return try prepare(project: words[1], state: words[2])
        case "list" where words.count == 1: return try list()
        case "apply" where words.count == 1: return try apply()
        case "discard" where words.count == 1: return try discard()
        default: throw BenchRequestError("there is no request \(words)")
        }
    }

    private mutating func prepare(project: String, state: String) throws -> JSONValue {
        let run = RunID.make(milliseconds: time.unixMilliseconds(), random: .random(in: .min ... .max))
        var runDirectory = project
        for part in [".bailey", "runs", run.rawValue] {
            runDirectory += "/" + part
            guard mkdir(runDirectory, 0o700) == 0 || errno == EEXIST else {
                throw SystemError("mkdir", code: errno, path: runDirectory)
            }
        }
        let key = try HMACKey(stateDirectory: Directory(trustedPath: state))
        let stored = StoredRun(
            run: run,
            project: project,
            runDirectory: runDirectory,
            seal: StoredSeal { key.digest($0) }
        )
        let workspace = Workspace(
            stored,
            stateDirectory: state,
            limits: ResourceLimits(),
            time: time
        )
        let (plan, milliseconds) = try time.measure { try workspace.prepare(.overlay) }
        prepared = Prepared(plan: plan, stored: stored, projectDirectory: project + "/.bailey")
        guard case .overlay(let lower, let mask, let layers) = plan.mounts[0].source else {
            throw BenchRequestError("the workspace is no overlay")
        }
        return .object([
            ("milliseconds", milliseconds), ("lower", .string(lower)), ("mask", mask.map { .string($0) } ?? .null),
            ("layers", .string(layers)), ("hidden", .integer(Int64(plan.hidden.count))),
        ])
    }

    private func current() throws -> Prepared {
        guard let prepared else { throw BenchRequestError("nothing is prepared") }
        return prepared
    }

    private mutating func list() throws -> JSONValue {
        let prepared = try current()
        let (set, milliseconds) = try time.measure { try prepared.plan.listChanges(limits: ResourceLimits()) }
        self.prepared?.changes = set
        let counts = set.counts
        return .object([
            ("milliseconds", milliseconds),
            ("changes", .integer(Int64(counts.created + counts.changed + counts.deleted))),
        ])
    }

    private func changes(_ prepared: Prepared) throws -> ChangeSet {
        guard let changes = prepared.changes else { throw BenchRequestError("nothing is listed") }
        return changes
    }

    private mutating func apply() throws -> JSONValue {
        let prepared = try current()
        let set = try changes(prepared)
        let phases = PhaseClock()
        let apply = Apply(
            prepared.stored,
            lockDirectory: prepared.projectDirectory,
            checkpoint: phases.pass
        )
        let (outcome, milliseconds) = try time.measure {
            try apply.perform(set, prepared.plan, grant: grant(.applyChanges(set.digest), set.run), time: time)
        }
        let (_, clearing) = try time.measure { try apply.clear(prepared.plan) }
        self.prepared = nil
        return .object([
            ("milliseconds", milliseconds), ("clearing", clearing), ("operations", .integer(Int64(outcome.operations))),
            ("phases", phases.milliseconds),
        ])
    }

    private mutating func discard() throws -> JSONValue {
        let prepared = try current()
        let set = try changes(prepared)
        let discard = Discard(runDirectory: prepared.stored.runDirectory)
        let (_, milliseconds) = try time.measure {
            try discard.perform(set, grant: grant(.discardChanges(set.digest), set.run), time: time)
        }
        self.prepared = nil
        return .object([("milliseconds", milliseconds)])
    }

    private func grant(_ kind: Action.Kind, _ run: RunID) throws -> Grant {
        let authority = Authority(time: time, keyedDigest: Self.lastBytes, random: { 7 })
        let project = ProjectID.make(milliseconds: 0, random: 0)
        return try authority.authorize(
            Action(kind: kind, principal: .human(userID: geteuid()), run: run, project: project)
        )
    }

    /// A grant that never leaves this process needs no keyed digest.
    private static func lastBytes(_ bytes: [UInt8]) -> Digest {
        guard let digest = Digest(bytes.suffix(Digest.byteCount)) else { preconditionFailure("an action is longer") }
        return digest
    }
}
