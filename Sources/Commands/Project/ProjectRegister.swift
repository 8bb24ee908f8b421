import Domain
import Files
import Journal

/// The projects that this user has run commands in, each under a message authentication code that only their key makes.
struct ProjectRegister: ~Copyable {
    private let directory: Directory
    private let key: HMACKey

    init(state: borrowing StateDirectory) throws {
        let key = try HMACKey(stateDirectory: state.handle)
        let directory = try state.directory("projects")
        self.key = key
        self.directory = directory
    }

    func add(_ id: ProjectID, path: String) throws {
        let code = code(id, path).hex
        try FileContent.replace(Array(id.rawValue.utf8), in: directory, with: Array("\(code)\n\(path)\n".utf8))
    }

    func remove(_ id: ProjectID) { try? directory.removeFile(Array(id.rawValue.utf8)) }

    /// True if this project was registered at exactly this path.
    func holds(_ id: ProjectID, path: String) -> Bool {
        guard let bytes = try? FileContent.read(Array(id.rawValue.utf8), in: directory, bytesMax: 8192) else {
            return false
        }
        let line = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        return Digest(hex: line) == code(id, path)
    }

    private func code(_ id: ProjectID, _ path: String) -> Digest {
        key.digest(Array("bailey-project-v1\0\(id)\0\(path)".utf8))
    }
}
