import Foundation
import TestSupport

/// The long crash tests of `script/full`, in their short form.
enum LongScript {
    private static let root: String = {
        var path = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { path.deleteLastPathComponent() }
        return path.path
    }()

    /// Runs one of them on the programs of this build.
    static func run(_ name: String, _ options: String..., timeoutSeconds: Double = 900) throws -> ProcessResult {
        try ProcessRunner.run(
            root + "/script/full/" + name,
            arguments: options + ["--bailey", try BuiltProducts.bailey()],
            timeoutSeconds: timeoutSeconds
        )
    }

    /// The account as the scripts call it.
    static func word(_ identity: TestIdentity) -> String { identity == .root ? "root" : "ordinary" }
}
