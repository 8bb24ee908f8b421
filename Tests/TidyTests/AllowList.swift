/// What the rules would refuse and somebody gave a reason for. An entry that is not used any more fails.
enum AllowList {
    struct Allowance: Sendable {
        let path: String
        /// The text as it stands in the code.
        let what: String
        let reason: String
    }

    /// Types whose safety the compiler cannot see.
    static let unchecked: [Allowance] = [
        Allowance(
            path: "Sources/Journal/Monitor.swift",
            what: "@unchecked Sendable",
            reason: "threads wait for a change of the state, which Mutex cannot do: it has no condition variable"
        ),
        Allowance(
            path: "Sources/BrokerLink/SecretPages.swift",
            what: "@unchecked Sendable",
            reason: "a pointer to memory that one owner has, who writes it before anybody else reads it"
        ),
    ]

    /// Functions over the limit that read better whole; `what` is the name as the finding gives it.
    static let longFunctions: [Allowance] = []

    /// Files that write to standard output: the command line's own, and no others.
    static let printing: [Allowance] = []

    static let all: [Allowance] = unchecked + longFunctions + printing

    static func allows(_ list: [Allowance], _ file: SourceFile, _ what: String) -> Bool {
        list.contains { $0.path == file.path && $0.what == what }
    }
}
