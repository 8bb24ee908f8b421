package import Domain

/// The one table of sensitive names. Stub: to be filled in.
package enum HiddenPaths {
    package enum Verdict: Sendable, Equatable {
        case visible
        /// The entry and, for a directory, all below it are absent from the view.
        case hidden
        /// Hidden if the content holds a private key (a file that may just as well be a public certificate).
        case hiddenIfPrivateKey
    }

    /// Judges one directory entry by its path below the project's root.
    package static func judge(_ path: RelativePath) -> Verdict {
        path.name == Array(".bailey".utf8) ? .hidden : .visible
    }
}
