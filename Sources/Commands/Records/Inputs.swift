import Domain
import Files
import Journal

/// `inputs.json`: the raw action of a run, kept once and closed to others. Environment values are there as keyed
/// digests only, so that the action's digest can be checked and no value can be read.
enum Inputs {
    static func write(_ action: Action, digest: Digest, key: HMACKey, in run: borrowing RunDirectory) throws {
        guard case .runCommand(let command) = action.kind else { return }
        let value = JSONValue.object([
            ("run", .string(action.run.rawValue)),
            ("project", .string(action.project.rawValue)),
            ("command", .array(command.arguments.map { .string($0) })),
            ("working_directory", .string(command.workingDirectory)),
            ("workspace", .string(command.workspace.rawValue)),
            (
                "environment",
                .object(command.environment.map { ($0.name, .string(key.digest(Array($0.value.utf8)).hex)) })
            ),
            ("digest", .string(digest.hex)),
        ])
        try FileContent.replace(
            Array("inputs.json".utf8),
            in: run.handle,
            with: value.bytes() + Array("\n".utf8)
        )
    }
}
