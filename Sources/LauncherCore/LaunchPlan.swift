/// Everything that the launcher is told: what to mount, who to be, what to allow, what to execute.
///
/// This is the writer's side. It travels as bytes in a sealed memfd (never in argv, which everybody can read and which
/// has a length limit); ``LaunchPlanView`` in this file reads them back.
package struct LaunchPlan: Sendable, Equatable {
    /// One step in building the new root, performed in order.
    package struct Operation: Sendable, Equatable {
        package enum Kind: UInt32, Sendable, CaseIterable {
            /// Shows the host's `source` at `target`.
            case tree = 1
            /// Makes `target` and its parents; `mode`.
            case directory
            /// Makes a symbolic link at `target` to `source`.
            case link
            /// Makes a read-only file at `target` that holds `source`.
            case file
            /// A tmpfs at `target`: `source` size, `second` number of inodes, `third` mode.
            case temporary
            case processes
            case terminals
            /// A copy-on-write view of `source` at `target`: mask layer `second` (empty: none), layers `third`.
            case overlay
            /// Covers `target`, where it exists, by nothing.
            case hide
            /// Shows the host's directory `source` read-only at `target` through an overlay of its own: its files are
            /// there, and a socket in it is not the host's any more, so that nobody outside listens. A plain file is
            /// shown as it is.
            case view
            /// Shows the host's directory `source` itself at `target`, without the mounts below it.
            case live
            /// Binds what lies at `target` onto itself, with attributes of its own: a mount point cannot be renamed,
            /// removed or replaced, and a read-only one cannot be changed. A symbolic link is taken as it is.
            case rebind
            /// Covers what lies at `target`, which must be there or is optional, by the file `source` or the directory
            /// `second` of the new root, read-only. A symbolic link is taken as it is.
            case cover

            /// How many places of the host it may need.
            var sourceCount: Int {
                switch self {
                case .tree, .view, .live: 1
                case .overlay: 3
                default: 0
                }
            }
        }

        package var kind: Kind
        package var source = ""
        /// What a file holds that is no text; it stands in the place of ``source``.
        package var content: [UInt8]?
        package var target = ""
        package var second = ""
        package var third = ""
        /// BAILEY_TREE_… bits.
        package var attributes: UInt32 = 0
        package var mode: UInt32 = 0o755
        /// Index into ``identities``, or nil.
        package var identity: UInt32?
        /// A missing source is no error, and neither is a missing place to cover.
        package var isOptional = false

        package init(_ kind: Kind, source: String = "", target: String = "") {
            self.kind = kind
            self.source = source
            self.target = target
        }
    }

    /// For an id-mapped mount: files of this owner appear as the sandbox's user.
    package struct Identity: Sendable, Equatable {
        package var userID: UInt32
        package var groupID: UInt32

        package init(userID: UInt32, groupID: UInt32) {
            self.userID = userID
            self.groupID = groupID
        }
    }

    package struct Limit: Sendable, Equatable {
        package var resource: UInt32
        package var soft: UInt64
        package var hard: UInt64

        package init(resource: UInt32, soft: UInt64, hard: UInt64) {
            self.resource = resource
            self.soft = soft
            self.hard = hard
        }
    }

    /// A Landlock rule: what may be done beneath a path inside.
    package struct Permission: Sendable, Equatable {
        package var path: String
        /// BAILEY_LANDLOCK_… bits.
        package var access: UInt32

        package init(path: String, access: UInt32) {
            self.path = path
            self.access = access
        }
    }

    /// Addresses that are the sandbox's own: whoever connects to one reaches the sockets that lie inside.
    package struct Route: Sendable, Equatable {
        package var address: Address
        package var prefixBits: UInt32

        package init(_ address: Address, prefixBits: UInt32) {
            self.address = address
            self.prefixBits = prefixBits
        }
    }

    /// A socket that is made inside and handed out.
    package struct Listener: Sendable, Equatable {
        package var address: Address
        package var port: UInt32
        package var isDatagram: Bool

        package init(_ address: Address, port: UInt32, isDatagram: Bool = false) {
            self.address = address
            self.port = port
            self.isDatagram = isDatagram
        }
    }

    /// Four bytes of IPv4 or sixteen of IPv6, in network order.
    package struct Address: Sendable, Equatable {
        package let bytes: [UInt8]

        package init(_ bytes: [UInt8]) {
            precondition(bytes.count == 4 || bytes.count == 16, "an address has 4 or 16 bytes")
            self.bytes = bytes
        }
    }

    /// True if the launcher starts as root outside: sources are opened and id-mapped before the namespaces are made.
    package var isPrivileged = false
    package var usesTerminal = false
    package var insideUserID: UInt32 = 1000
    package var insideGroupID: UInt32 = 1000
    package var hostUserID: UInt32 = 0
    package var hostGroupID: UInt32 = 0
    package var hostName = "bailey"
    package var workingDirectory = "/"
    /// A host path that must be absent inside; the launcher's self-test tries to open it.
    package var canary = "/"
    /// Paths to try in turn for the command.
    package var candidates: [String] = []
    package var arguments: [String] = []
    package var environment: [String] = []
    package var identities: [Identity] = []
    package var operations: [Operation] = []
    package var limits: [Limit] = []
    package var permissions: [Permission] = []
    /// A classic BPF program: 8 bytes an instruction.
    package var filter: [UInt8] = []
    /// Both empty for a sandbox without a network.
    package var routes: [Route] = []
    package var listeners: [Listener] = []

    package init() {}
}

/// The bytes: a header of 32-bit words, tables of words, a string area of NUL-terminated texts. Little endian, because
/// writer and reader are the same machine.
enum PlanLayout {
    static let magic: UInt32 = 0x424C_5031
    /// Raised with every change of the layout; reader and writer must be equal.
    static let version: UInt32 = 3
    static let headerWords = 32
    static let operationWords = 10
    /// A family, four words of address, and one or two numbers.
    static let routeWords = 6
    static let listenerWords = 7
    /// Ports and routes are few; see ``StatusMessage``, whose socket holds a message for each listener.
    static let listenersMax: UInt32 = 256
    static let none = UInt32.max
    /// A plan is small; more is a mistake or an attack.
    static let bytesMax = 16 << 20
    static let countMax: UInt32 = 65536
    static let filterBytesMax: UInt32 = 4096 * 8

    /// Word numbers in the header.
    enum Word {
        static let magic = 0, version = 1, size = 2, flags = 3, insideUser = 4, insideGroup = 5, hostUser = 6
        static let hostGroup = 7, hostName = 8, workingDirectory = 9, canary = 10
        static let candidates = 11, arguments = 13, environment = 15, identities = 17, operations = 19, limits = 21
        static let permissions = 23, filter = 25, routes = 27, listeners = 29
    }

    static let flagPrivileged: UInt32 = 1
    static let flagTerminal: UInt32 = 2
}

extension LaunchPlan {
    /// The plan as the launcher reads it.
    package func encoded() -> [UInt8] {
        var writer = PlanWriter()
        let header = PlanLayout.Word.self
        writer.set(header.magic, PlanLayout.magic)
        writer.set(header.version, PlanLayout.version)
        writer.set(
            header.flags,
            (isPrivileged ? PlanLayout.flagPrivileged : 0) | (usesTerminal ? PlanLayout.flagTerminal : 0)
        )
        writer.set(header.insideUser, insideUserID)
        writer.set(header.insideGroup, insideGroupID)
        writer.set(header.hostUser, hostUserID)
        writer.set(header.hostGroup, hostGroupID)
        writer.set(header.hostName, writer.text(hostName))
        writer.set(header.workingDirectory, writer.text(workingDirectory))
        writer.set(header.canary, writer.text(canary))
        writer.table(header.candidates, candidates.map { [writer.text($0)] })
        writer.table(header.arguments, arguments.map { [writer.text($0)] })
        writer.table(header.environment, environment.map { [writer.text($0)] })
        writer.table(header.identities, identities.map { [$0.userID, $0.groupID] })
        writer.table(
            header.operations,
            operations.map { operation in
                [
                    operation.kind.rawValue, operation.attributes, operation.identity ?? PlanLayout.none,
                    operation.mode,
                    operation.isOptional ? 1 : 0,
                    operation.content.map { writer.data($0) } ?? writer.text(operation.source),
                    UInt32(operation.content?.count ?? operation.source.utf8.count),
                    writer.text(operation.target), writer.text(operation.second),
                    writer.text(operation.third),
                ]
            }
        )
        writer.table(
            header.limits,
            limits.map { limit in
                [
                    limit.resource, UInt32(truncatingIfNeeded: limit.soft),
                    UInt32(truncatingIfNeeded: limit.soft >> 32),
                    UInt32(truncatingIfNeeded: limit.hard), UInt32(truncatingIfNeeded: limit.hard >> 32),
                ]
            }
        )
        writer.table(header.permissions, permissions.map { [writer.text($0.path), $0.access] })
        writer.blob(header.filter, filter)
        writer.table(header.routes, routes.map { $0.address.words + [$0.prefixBits] })
        writer.table(header.listeners, listeners.map { $0.address.words + [$0.port, $0.isDatagram ? 1 : 0] })
        return writer.finish()
    }
}

extension LaunchPlan.Address {
    /// The number of bytes, then the bytes as they lie in memory.
    fileprivate var words: [UInt32] {
        var words = [UInt32](repeating: 0, count: 5)
        words[0] = UInt32(bytes.count)
        for (index, byte) in bytes.enumerated() { words[1 + index / 4] |= UInt32(byte) << UInt32(index % 4 * 8) }
        return words
    }
}

private struct PlanWriter {
    private var words = [UInt32](repeating: 0, count: PlanLayout.headerWords)
    private var strings: [UInt8] = []

    mutating func set(_ word: Int, _ value: UInt32) { words[word] = value }

    /// Adds a text and returns its offset in the string area.
    mutating func text(_ text: String) -> UInt32 {
        precondition(!text.utf8.contains(0), "no text of a plan holds a NUL byte")
        let offset = UInt32(strings.count)
        strings.append(contentsOf: text.utf8)
        strings.append(0)
        return offset
    }

    /// Adds bytes to the string area, and a NUL like behind a text; returns their offset.
    mutating func data(_ bytes: [UInt8]) -> UInt32 {
        let offset = UInt32(strings.count)
        strings.append(contentsOf: bytes)
        strings.append(0)
        return offset
    }

    /// Adds rows of equal length; the header keeps their word offset and number.
    mutating func table(_ word: Int, _ rows: [[UInt32]]) {
        words[word] = UInt32(words.count)
        words[word + 1] = UInt32(rows.count)
        for row in rows { words.append(contentsOf: row) }
    }

    /// Adds bytes, a multiple of 8; the header keeps their word offset and byte count.
    mutating func blob(_ word: Int, _ bytes: [UInt8]) {
        precondition(bytes.count % 8 == 0, "a filter is whole instructions")
        words[word] = UInt32(words.count)
        words[word + 1] = UInt32(bytes.count)
        bytes.withUnsafeBytes { bytes in
            for start in stride(from: 0, to: bytes.count, by: 4) {
                words.append(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self)))
            }
        }
    }

    func finish() -> [UInt8] {
        var words = words
        // The last header word says where the strings begin.
        words[PlanLayout.headerWords - 1] = UInt32(words.count * 4)
        words[PlanLayout.Word.size] = UInt32(words.count * 4 + strings.count)
        return words.map(\.littleEndian).withUnsafeBytes { Array($0) } + strings
    }
}

/// A plan read in place: pointers into the mapped bytes, nothing allocated. Only ``init(_:)`` makes one, after it has
/// checked every offset, count and terminator, so that the accessors need not.
package struct LaunchPlanView {
    private let words: UnsafePointer<UInt32>
    private let strings: UnsafePointer<CChar>

    /// Nil if any byte is not as the layout demands.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count >= PlanLayout.headerWords * 4,
            bytes.count <= PlanLayout.bytesMax, UInt(bitPattern: base) % 8 == 0
        else { return nil }
        words = base.assumingMemoryBound(to: UInt32.self)
        let stringsStart = Int(words[PlanLayout.headerWords - 1])
        guard words[PlanLayout.Word.magic] == PlanLayout.magic,
            words[PlanLayout.Word.version] == PlanLayout.version,
            Int(words[PlanLayout.Word.size]) == bytes.count, stringsStart % 4 == 0,
            stringsStart >= PlanLayout.headerWords * 4, stringsStart < bytes.count, bytes[bytes.count - 1] == 0
        else { return nil }
        strings = (base + stringsStart).assumingMemoryBound(to: CChar.self)
        guard isValid(wordCount: stringsStart / 4, stringBytes: bytes.count - stringsStart) else { return nil }
    }

    private func isValid(wordCount: Int, stringBytes: Int) -> Bool {
        let header = PlanLayout.Word.self
        func isText(_ offset: UInt32) -> Bool { Int(offset) < stringBytes }
        func isTable(_ word: Int, rowWords: Int) -> Bool {
            words[word + 1] <= PlanLayout.countMax && Int(words[word]) >= PlanLayout.headerWords
                && Int(words[word]) + Int(words[word + 1]) * rowWords <= wordCount
        }
        guard isText(words[header.hostName]), isText(words[header.workingDirectory]), isText(words[header.canary]),
            isTable(header.candidates, rowWords: 1), isTable(header.arguments, rowWords: 1),
            isTable(header.environment, rowWords: 1), isTable(header.identities, rowWords: 2),
            isTable(header.operations, rowWords: PlanLayout.operationWords), isTable(header.limits, rowWords: 5),
            isTable(header.permissions, rowWords: 2), candidateCount > 0, argumentCount > 0,
            words[header.filter + 1] > 0, words[header.filter + 1] <= PlanLayout.filterBytesMax,
            words[header.filter + 1] % 8 == 0, Int(words[header.filter]) >= PlanLayout.headerWords,
            Int(words[header.filter]) + Int(words[header.filter + 1]) / 4 <= wordCount,
            insideUserID != 0, insideGroupID != 0, hostUserID != 0 || !isPrivileged,
            isTable(header.routes, rowWords: PlanLayout.routeWords),
            isTable(header.listeners, rowWords: PlanLayout.listenerWords),
            words[header.listeners + 1] <= PlanLayout.listenersMax
        else { return false }
        for row in 0..<routeCount where !route(row).isValid { return false }
        for row in 0..<listenerCount where !listener(row).isValid { return false }
        for word in [header.candidates, header.arguments, header.environment] {
            for row in 0..<Int(words[word + 1]) where !isText(words[Int(words[word]) + row]) { return false }
        }
        for row in 0..<permissionCount where !isText(words[Int(words[header.permissions]) + row * 2]) { return false }
        for row in 0..<operationCount {
            let first = Int(words[header.operations]) + row * PlanLayout.operationWords
            guard LaunchPlan.Operation.Kind(rawValue: words[first]) != nil,
                words[first + 2] == PlanLayout.none || words[first + 2] < UInt32(identityCount),
                isText(words[first + 5]), isText(words[first + 7]), isText(words[first + 8]), isText(words[first + 9]),
                Int(words[first + 5]) + Int(words[first + 6]) < stringBytes
            else { return false }
        }
        return true
    }

    private func text(_ offset: UInt32) -> UnsafePointer<CChar> { strings + Int(offset) }

    package var isPrivileged: Bool { words[PlanLayout.Word.flags] & PlanLayout.flagPrivileged != 0 }
    package var usesTerminal: Bool { words[PlanLayout.Word.flags] & PlanLayout.flagTerminal != 0 }
    package var insideUserID: UInt32 { words[PlanLayout.Word.insideUser] }
    package var insideGroupID: UInt32 { words[PlanLayout.Word.insideGroup] }
    package var hostUserID: UInt32 { words[PlanLayout.Word.hostUser] }
    package var hostGroupID: UInt32 { words[PlanLayout.Word.hostGroup] }
    package var hostName: UnsafePointer<CChar> { text(words[PlanLayout.Word.hostName]) }
    package var workingDirectory: UnsafePointer<CChar> { text(words[PlanLayout.Word.workingDirectory]) }
    package var canary: UnsafePointer<CChar> { text(words[PlanLayout.Word.canary]) }
    package var candidateCount: Int { Int(words[PlanLayout.Word.candidates + 1]) }
    package var argumentCount: Int { Int(words[PlanLayout.Word.arguments + 1]) }
    package var environmentCount: Int { Int(words[PlanLayout.Word.environment + 1]) }
    package var identityCount: Int { Int(words[PlanLayout.Word.identities + 1]) }
    package var operationCount: Int { Int(words[PlanLayout.Word.operations + 1]) }
    package var limitCount: Int { Int(words[PlanLayout.Word.limits + 1]) }
    package var permissionCount: Int { Int(words[PlanLayout.Word.permissions + 1]) }
    package var filter: UnsafeRawPointer { UnsafeRawPointer(words + Int(words[PlanLayout.Word.filter])) }
    package var filterBytes: Int { Int(words[PlanLayout.Word.filter + 1]) }

    package var routeCount: Int { Int(words[PlanLayout.Word.routes + 1]) }
    package var listenerCount: Int { Int(words[PlanLayout.Word.listeners + 1]) }
    /// True if the command may use a network: what it needs of it is made first, and the command waits for it.
    package var hasNetwork: Bool { listenerCount > 0 }

    package func route(_ row: Int) -> RouteView {
        RouteView(words: words + Int(words[PlanLayout.Word.routes]) + row * PlanLayout.routeWords)
    }

    package func listener(_ row: Int) -> ListenerView {
        ListenerView(words: words + Int(words[PlanLayout.Word.listeners]) + row * PlanLayout.listenerWords)
    }

    package func candidate(_ row: Int) -> UnsafePointer<CChar> {
        text(words[Int(words[PlanLayout.Word.candidates]) + row])
    }

    package func argument(_ row: Int) -> UnsafePointer<CChar> {
        text(words[Int(words[PlanLayout.Word.arguments]) + row])
    }

    package func environment(_ row: Int) -> UnsafePointer<CChar> {
        text(words[Int(words[PlanLayout.Word.environment]) + row])
    }

    package func identity(_ row: Int) -> (user: UInt32, group: UInt32) {
        let first = Int(words[PlanLayout.Word.identities]) + row * 2
        return (words[first], words[first + 1])
    }

    package func limit(_ row: Int) -> (resource: UInt32, soft: UInt64, hard: UInt64) {
        let first = Int(words[PlanLayout.Word.limits]) + row * 5
        return (
            words[first], UInt64(words[first + 1]) | UInt64(words[first + 2]) << 32,
            UInt64(words[first + 3]) | UInt64(words[first + 4]) << 32
        )
    }

    package func permission(_ row: Int) -> (path: UnsafePointer<CChar>, access: UInt32) {
        let first = Int(words[PlanLayout.Word.permissions]) + row * 2
        return (text(words[first]), words[first + 1])
    }

    package func operation(_ row: Int) -> OperationView {
        let first = Int(words[PlanLayout.Word.operations]) + row * PlanLayout.operationWords
        return OperationView(words: words + first, strings: strings)
    }
}

/// One route of a plan, read in place.
package struct RouteView {
    fileprivate let words: UnsafePointer<UInt32>

    package var addressBytes: Int { Int(words[0]) }
    package var address: UnsafePointer<UInt8> { UnsafeRawPointer(words + 1).assumingMemoryBound(to: UInt8.self) }
    package var prefixBits: UInt32 { words[5] }

    fileprivate var isValid: Bool { (words[0] == 4 || words[0] == 16) && words[5] > 0 && words[5] <= words[0] * 8 }
}

/// One listener of a plan, read in place.
package struct ListenerView {
    fileprivate let words: UnsafePointer<UInt32>

    package var addressBytes: Int { Int(words[0]) }
    package var address: UnsafePointer<UInt8> { UnsafeRawPointer(words + 1).assumingMemoryBound(to: UInt8.self) }
    package var port: UInt32 { words[5] }
    package var isDatagram: Bool { words[6] != 0 }

    fileprivate var isValid: Bool {
        (words[0] == 4 || words[0] == 16) && (1...65_535).contains(words[5]) && words[6] <= 1
    }
}

/// One operation of a plan, read in place.
package struct OperationView {
    fileprivate let words: UnsafePointer<UInt32>
    fileprivate let strings: UnsafePointer<CChar>

    package var kind: LaunchPlan.Operation.Kind? { LaunchPlan.Operation.Kind(rawValue: words[0]) }
    package var attributes: UInt32 { words[1] }
    /// -1 where the tree keeps its owners.
    package var identity: Int { words[2] == PlanLayout.none ? -1 : Int(words[2]) }
    package var mode: UInt32 { words[3] }
    package var isOptional: Bool { words[4] != 0 }
    package var source: UnsafePointer<CChar> { strings + Int(words[5]) }
    package var sourceBytes: Int { Int(words[6]) }
    package var target: UnsafePointer<CChar> { strings + Int(words[7]) }
    package var second: UnsafePointer<CChar> { strings + Int(words[8]) }
    package var third: UnsafePointer<CChar> { strings + Int(words[9]) }
}
