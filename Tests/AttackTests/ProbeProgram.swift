import Foundation
import TestSupport

/// The C program that makes the attempts, compiled once for all tests.
enum ProbeProgram {
    /// The directory that holds the compiled program and disappears with the test process's temporary files.
    private static let built: Result<TemporaryDirectory, any Error> = Result {
        let directory = try TemporaryDirectory("bailey-probe", in: "/var/tmp")
        let sources = try FileManager.default.contentsOfDirectory(atPath: AttackRow.directory + "/Probes")
            .filter { $0.hasSuffix(".c") }
            .map { AttackRow.directory + "/Probes/" + $0 }
        let flags = ["cc", "-std=gnu17", "-O1", "-Wall", "-Wextra", "-Werror", "-o", directory.path + "/probe"]
        let result = try ProcessRunner.run("/usr/bin/env", arguments: flags + sources.sorted(), timeoutSeconds: 120)
        guard result.status == 0 else { throw AttackError("compile the probe: \(result.summary)") }
        // Static storage is never released, and several suites share the program.
        atexit { ProbeProgram.remove() }
        return directory
    }

    /// Puts the program at `path`.
    static func install(at path: String) throws {
        let source = try built.get().path + "/probe"
        try FileManager.default.copyItem(atPath: source, toPath: path)
    }

    private static func remove() {
        if case .success(let directory) = built { try? FileManager.default.removeItem(atPath: directory.path) }
    }
}
