import Foundation

/// Where the build put the product's executables.
package enum BuiltProducts {
    /// The `bailey` executable beside the test bundle.
    package static func bailey() throws -> String { try find("bailey") }

    /// The `bailey-launcher` executable beside the test bundle.
    package static func launcher() throws -> String { try find("bailey-launcher") }

    /// The `bailey-broker` executable beside the test bundle.
    package static func broker() throws -> String { try find("bailey-broker") }

    /// Copies the executables to `directory` and returns the path of `bailey` there: for users who cannot reach the
    /// build directory, as when the clone lies in root's home.
    ///
    /// Another process copies: a program cannot be executed as long as anybody has it open for writing, and a process
    /// that another thread starts meanwhile would have it.
    package static func install(in directory: String) throws -> String {
        let words = ["--reflink=auto", try bailey(), try launcher(), try broker(), directory]
        let copied = try ProcessRunner.run("/bin/cp", arguments: words)
        guard copied.status == 0 else {
            let text = "copy the programs to \(directory): \(copied.stderr)"
            throw NSError(domain: "BuiltProducts", code: 1, userInfo: [NSLocalizedDescriptionKey: text])
        }
        for name in ["bailey", "bailey-launcher", "bailey-broker"] {
            let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o755]
            try FileManager.default.setAttributes(attributes, ofItemAtPath: directory + "/" + name)
        }
        return directory + "/bailey"
    }

    private static func find(_ name: String) throws -> String {
        let starts = [
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "",
            Bundle.main.bundlePath,
            CommandLine.arguments.first ?? "",
        ]
        for start in starts where start.hasPrefix("/") {
            var directory = start
            while directory != "/" {
                directory = (directory as NSString).deletingLastPathComponent
                let candidate = (directory as NSString).appendingPathComponent(name)
                var isDirectory: ObjCBool = false
                let exists = FileManager.default.fileExists(atPath: candidate, isDirectory: &isDirectory)
                if exists, !isDirectory.boolValue, access(candidate, X_OK) == 0 { return candidate }
            }
        }
        throw NSError(
            domain: "BuiltProducts",
            code: 1,
            userInfo: [NSLocalizedDescriptionKey: "find \(name) beside the test bundle: looked above \(starts)"]
        )
    }
}
