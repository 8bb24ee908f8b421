import Foundation
import TestSupport
import Testing

@Suite("A stranger's project gives equal counts on both sides of the wall")
struct StrangersProjectTests {
    private static let script = ProjectYard.root + "/script/full/projects"
    /// Small, with an extension in C.
    private static let project = "markupsafe"

    /// Brings the archive and what its environment needs; false where no registry answers.
    private static let isObtainable: Bool = {
        let result = try? ProcessRunner.run(script, arguments: ["--fetch", project], timeoutSeconds: 150)
        return result?.status == 0
    }()

    @Test("its own tests, with its extension compiled inside", .enabled(if: isObtainable, "no registry answers"))
    func isEqual() throws {
        let result = try ProcessRunner.run(
            Self.script,
            arguments: ["--bailey", try BuiltProducts.bailey(), Self.project],
            timeoutSeconds: 240
        )
        #expect(result.status == 0, "\(result.summary)")
        #expect(result.stdout.hasSuffix("1 passed, 0 failed, 0 skipped\n"), "\(result.summary)")
    }
}
