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
    package static func install(in directory: String) throws -> String {
        for source in [try bailey(), try launcher(), try broker()] {
            let target = directory + "/" + (source as NSString).lastPathComponent
            try FileManager.default.copyItem(atPath: source, toPath: target)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: target)
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
