import Domain
import Egress
import NIOCore

/// A request to a forge's store of large files: which are wanted, and whether to fetch or to store them.
enum LargeFileBatch {
    /// A hundred objects, which is what clients ask for at once, take some 15 KB.
    static let bytesMax = 256 << 10

    /// Every member there is. Some servers take names in any case, so that another one could be a second operation.
    private static let members: Set<String> = ["operation", "transfers", "ref", "objects", "hash_algo"]

    /// Nil where files are fetched; what is not understood is refused.
    static func refusal(of body: ByteBuffer) -> EgressRefusal? {
        guard let value = try? JSONParser.parse(body.readableBytesView), case .object(let members) = value,
            members.allSatisfy({ Self.members.contains($0.0) }),
            let operation = members.first(where: { $0.0 == "operation" }), case .string(let word) = operation.1
        else {
            return EgressRefusal(RuleID("git-large-files"), "the request for large files is not understood")
        }
        guard word != "download" else { return nil }
        return EgressRefusal(
            RuleID("git-large-files"),
            "large files are fetched from inside the sandbox and not stored",
            remedy: ForgeRules.pushRemedy
        )
    }
}
