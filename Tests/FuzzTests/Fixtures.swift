import Foundation
import FuzzTargets

/// Inputs that broke a promise once: `Tests/Fixtures/fuzz/TARGET/NAME`, bytes as they are.
enum Fixtures {
    private static let root: String = {
        var path = URL(fileURLWithPath: #filePath)
        for _ in 0..<2 { path.deleteLastPathComponent() }
        return path.path + "/Fixtures/fuzz"
    }()

    static func directories() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root).filter { !$0.hasPrefix(".") && $0 != "README" }
    }

    static func inputs(of target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        let directory = root + "/" + target.name
        guard FileManager.default.fileExists(atPath: directory) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: directory).sorted().map { name in
            (name, Array(try Data(contentsOf: URL(fileURLWithPath: directory + "/" + name))))
        }
    }
}
