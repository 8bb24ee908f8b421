import Foundation

/// The repository that these tests were compiled from.
enum SourceTree {
    /// Directories that are made, not written.
    private static let generated: Set<String> = [".git", ".bailey", ".cache", "__pycache__"]
    private static let filesMax = 20_000

    static let root: String = {
        var path = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { path.deleteLastPathComponent() }
        return path.path
    }()

    /// Paths below the root of all written files, sorted.
    static let paths: [String] = {
        var found: [String] = []
        guard let walk = FileManager.default.enumerator(atPath: root) else { return [] }
        while let path = walk.nextObject() as? String {
            let name = (path as NSString).lastPathComponent
            if generated.contains(name) || name.hasPrefix(".build") {
                walk.skipDescendants()
            } else if walk.fileAttributes?[.type] as? FileAttributeType == .typeRegular {
                found.append(path)
            }
            precondition(found.count < filesMax, "the tree holds fewer files than the limit")
        }
        return found.sorted()
    }()

    /// The text of a file, or nil if it is not UTF-8.
    static func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: root + "/" + path).flatMap { String(data: $0, encoding: .utf8) }
    }

    static func isExecutable(_ path: String) -> Bool {
        FileManager.default.isExecutableFile(atPath: root + "/" + path)
    }

    /// All written text files, scanned once.
    static let files: [SourceFile] = paths.compactMap { path in
        text(path).map { SourceFile(path: path, text: $0) }
    }
}
