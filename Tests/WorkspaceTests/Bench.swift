import Authority
import Crypto
import Domain
import Files
import Foundation
import TestSupport
import Testing
import Workspace

/// The time of the machine.
struct MachineTime: TimeSource {
    func unixMilliseconds() -> UInt64 { UInt64(Date().timeIntervalSince1970 * 1000) }
    func monotonicNanoseconds() -> UInt64 { DispatchTime.now().uptimeNanoseconds }
}

/// Somebody who knows no directory's format.
struct NoInspector: ChangeInspector {
    func inspect(_ changes: [Change], trees: [WorkspaceTree]) throws -> [Inspection] { changes.map { _ in .notMine } }
}

/// A project, a run of it and a state directory, all thrown away afterwards.
final class Bench: Sendable {
    /// Nil for a bench that another process made and removes.
    private let owned: TemporaryDirectory?
    let root: String
    let number: Int

    init(existing: String? = nil, number: Int = 1) throws {
        owned = try existing == nil ? TemporaryDirectory("bailey-workspace") : nil
        root = existing ?? owned?.path ?? ""
        self.number = number
        let files = FileManager.default
        for path in [project, state, run, view] {
            try files.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
    }

    /// Foundation does not remove directories that shut their owner out, such as an overlay's work directory.
    deinit {
        guard let owned else { return }
        let parts = owned.path.split(separator: "/")
        do {
            let parent = try Directory(trustedPath: "/" + parts.dropLast().joined(separator: "/"))
            try parent.removeTree(Array((parts.last ?? "").utf8))
        } catch {
            Issue.record("the test's directory could not be removed: \(error)")
        }
    }

    var project: String { root + "/project" }
    var state: String { root + "/state" }
    var bailey: String { project + "/.bailey" }
    var run: String { bailey + "/runs/" + runID.rawValue }
    var view: String { root + "/view" }
    var runID: RunID { RunID(unchecked: "r_000000000\(number)") }

    /// The run's stored files, under a key that is as good as any.
    var stored: StoredRun { StoredRun(run: runID, project: project, runDirectory: run, seal: Self.seal) }

    static let seal = StoredSeal { bytes in
        let key = SymmetricKey(data: [UInt8](repeating: 7, count: 32))
        guard let tag = Domain.Digest(Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key))) else {
            preconditionFailure("an HMAC-SHA-256 value has 32 bytes")
        }
        return tag
    }

    static let projectID = ProjectID(unchecked: "p_0000000001")

    func prepare(
        _ choice: Workspace.Choice = .overlay,
        limits: ResourceLimits = ResourceLimits(),
        gitDirectories: [String] = []
    ) throws -> WorkspacePlan {
        try Workspace(
            stored,
            stateDirectory: state,
            limits: limits,
            time: MachineTime()
        ).prepare(choice, gitDirectories: gitDirectories)
    }

    /// Runs a shell script on the host, in the project, and waits until no stamp can share its clock tick.
    func outside(_ script: String) throws {
        usleep(20_000)
        try Self.shell(script, in: project)
        usleep(20_000)
    }

    /// Runs a shell script in the view that the plan describes, as the sandbox would mount it.
    func inside(_ plan: WorkspacePlan, tree: Int = 0, _ script: String) throws {
        switch plan.mounts[tree].source {
        case .copy(let directory):
            try Self.shell(script, in: directory)
        case .overlay(let lower, let mask, let layers):
            let lowers = [mask, lower].compactMap { $0 }.joined(separator: ":")
            let options =
                "userxattr,volatile,index=off,metacopy=off,redirect_dir=nofollow,xino=off,lowerdir=\(lowers),"
                + "upperdir=\(layers)/upper,workdir=\(layers)/work"
            let mount = "mount -t overlay -o '\(options)' overlay '\(view)' && cd '\(view)' && { \(script)\n}"
            try Self.shell(mount, in: "/", prefix: ["unshare", geteuid() == 0 ? "-m" : "-Urm"])
        case .live:
            try Self.shell(script, in: project)
        }
    }

    static func shell(_ script: String, in directory: String, prefix: [String] = []) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = prefix + ["/bin/bash", "-euc", script]
        process.currentDirectoryURL = URL(fileURLWithPath: directory)
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw ScriptFailure(status: process.terminationStatus) }
    }

    struct ScriptFailure: Error { let status: Int32 }

    func judge(_ plan: WorkspacePlan, limits: ResourceLimits = ResourceLimits()) throws -> GateReport {
        let set = try plan.listChanges(limits: limits)
        return try CommitGate(plan, limits: limits).judge(set, inspector: NoInspector())
    }

    func grant(_ kind: Action.Kind, run: RunID? = nil) throws -> Grant {
        let authority = Authority(time: MachineTime(), keyedDigest: Self.lastBytes, random: { 7 })
        let principal = Principal.human(userID: geteuid())
        return try authority.authorize(
            Action(kind: kind, principal: principal, run: run ?? runID, project: Self.projectID)
        )
    }

    /// No digest that could be forged matters here.
    private static func lastBytes(_ bytes: [UInt8]) -> Domain.Digest {
        guard let digest = Domain.Digest(bytes.suffix(Domain.Digest.byteCount)) else {
            preconditionFailure("an action is longer")
        }
        return digest
    }

    func apply(_ checkpoint: @escaping (StaticString) -> Void = { _ in }) -> Apply {
        Apply(stored, lockDirectory: bailey, checkpoint: checkpoint)
    }

    /// As the next start does it: with the digest that ``perform(_:_:_:)`` wrote down, as a journal would hold it.
    func recover(_ checkpoint: @escaping (StaticString) -> Void = { _ in }) throws -> Apply.Recovery {
        let word = try? String(contentsOfFile: root + "/applying", encoding: .utf8)
        return try apply(checkpoint).recover(applying: word.flatMap { Domain.Digest(hex: $0) })
    }

    @discardableResult
    func perform(
        _ set: ChangeSet,
        _ plan: WorkspacePlan,
        layersAreShared: Bool = false,
        _ checkpoint: @escaping (StaticString) -> Void = { _ in }
    ) throws -> Apply.Outcome {
        try set.digest.hex.write(toFile: root + "/applying", atomically: false, encoding: .utf8)
        let apply = apply(checkpoint)
        let outcome = try apply.perform(
            set,
            plan,
            grant: grant(.applyChanges(set.digest)),
            time: MachineTime(),
            layersAreShared: layersAreShared
        )
        try apply.clear(plan)
        return outcome
    }

    /// Every entry of the project with its kind, mode, link target and content, sorted: two equal texts are two equal
    /// trees.
    func picture() throws -> [String] { try Self.picture(of: project) }

    static func picture(of directory: String) throws -> [String] {
        var lines: [String] = []
        func visit(_ parent: borrowing Directory, _ prefix: [UInt8]) throws {
            for entry in try parent.entries() where prefix.isEmpty ? entry.name != Array(".bailey".utf8) : true {
                let path = prefix + entry.name
                let status = try parent.status(entry.name)
                var line =
                    Printable.text(path) + " \(status.kind) \(String(status.mode, radix: 8)) \(status.linkCount > 1)"
                switch status.kind {
                case .directory:
                    line = Printable.text(path) + " \(status.kind) \(String(status.mode, radix: 8))"
                    try visit(parent.directory(entry.name), path + Array("/".utf8))
                case .symlink: line += " -> " + Printable.text(try parent.linkTarget(entry.name))
                case .file:
                    let content = try FileContent.read([UInt8](entry.name), in: parent, bytesMax: 1 << 24)
                    line += " " + Printable.text(content)
                default: break
                }
                lines.append(line)
            }
        }
        try visit(Directory(trustedPath: directory), [])
        return lines.sorted()
    }
}

extension ChangeSet {
    /// One line for each change: its kind, what is there and the path.
    var lines: [String] { changes.map { "\($0.kind.rawValue) \($0.file.rawValue) \($0.path)" } }
}

extension GateReport {
    /// One line for each conflict: the cause and the path.
    var conflictLines: [String] { conflicts.map { "\($0.cause.rawValue) \($0.path)" } }
}

/// Whether this machine lets us mount an overlay at all.
let overlayWorks: Bool = {
    guard let bench = try? Bench(), let plan = try? bench.prepare() else { return false }
    return (try? bench.inside(plan, "true")) != nil
}()
