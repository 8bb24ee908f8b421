package import Domain

/// Something that a run was refused, as its journal tells it. Every text in it may have been chosen by the command that
/// ran behind the wall, which would like it to be allowed the next time.
package struct RefusedAccess: Sendable, Equatable {
    /// A line of a run's journal.
    package struct Source: Hashable, Sendable {
        package let run: RunID
        package let line: UInt64

        package init(run: RunID, line: UInt64) {
            self.run = run
            self.line = line
        }
    }

    package enum What: Sendable, Equatable {
        /// A name was asked for; of what followed nothing is known.
        case name(String)
        case connection(host: String, port: UInt16)
        case request(method: String, host: String, port: UInt16, path: String)
        /// A program that the command did not see.
        case execution(path: String)
        /// Anything else, in words.
        case other(String)
    }

    package let what: What
    package let rule: String
    package let reason: String
    /// What would allow it; nil where nothing does.
    package let remedy: String?
    package let count: UInt64
    package let source: Source

    package init(_ what: What, rule: String, reason: String, remedy: String?, count: UInt64 = 1, source: Source) {
        self.what = what
        self.rule = rule
        self.reason = reason
        self.remedy = remedy
        self.count = count
        self.source = source
    }

    /// As it is written in a comment, still raw.
    package var text: String {
        switch what {
        case .name(let name): name
        case .connection(let host, let port): "\(host):\(port)"
        case .request(let method, let host, let port, let path): "\(method) \(host):\(port) \(path)"
        case .execution(let path): path
        case .other(let text): text
        }
    }

    /// The host that it is about, as it was asked for.
    package var host: String? {
        switch what {
        case .name(let host), .connection(let host, _), .request(_, let host, _, _): host
        case .execution, .other: nil
        }
    }
}
