package import Domain
package import Files

/// Why a workspace could not be prepared, listed, applied or discarded.
package struct WorkspaceError: UserFacingError {
    package enum Code: Sendable {
        /// The project or the state directory cannot be used as it is.
        case unusable
        /// A limit of this module or of the configuration is exceeded.
        case tooLarge
        /// A stored file is not what this version writes.
        case damaged
        /// The change set can no longer be applied to the tree.
        case conflict
        /// Something in the change set must never be applied, or is not what was listed.
        case refused
        /// The grant does not fit the change set.
        case wrongGrant
        /// Another process holds the project.
        case busy
        /// A system call failed.
        case system
    }

    package let code: Code
    package let message: String
    package let hint: String?
    /// The path below its tree's root that the error is about.
    package let path: RelativePath?

    package init(_ code: Code, _ message: String, path: RelativePath? = nil, hint: String? = nil) {
        self.code = code
        self.message = message
        self.path = path
        self.hint = hint
    }

    package init(_ attempt: String, _ error: SystemError, path: RelativePath? = nil) {
        let place = path.map { " at \($0)" } ?? ""
        self.init(
            .system,
            "\(attempt)\(place): \(Printable.text(error.description))",
            path: path,
            hint: Self.hint(error)
        )
    }

    private static func hint(_ error: SystemError) -> String? {
        switch error.code {
        case 28, 122: "Free some disk space or raise the quota, then try again."
        case 30: "The file system is mounted read-only."
        case 13, 1: "Check the owner and the permissions of the path."
        case 24: "Raise the limit of open files (ulimit -n)."
        default: nil
        }
    }

    /// Runs `body` and turns a failed system call into an error that says what was attempted.
    static func attempt<Result>(_ what: String, _ body: () throws -> Result) throws(WorkspaceError) -> Result {
        do {
            return try body()
        } catch let error as WorkspaceError {
            throw error
        } catch let error as SystemError {
            throw WorkspaceError(what, error)
        } catch let error as any UserFacingError {
            throw WorkspaceError(.unusable, "\(what): \(error.message)", hint: error.hint)
        } catch {
            throw WorkspaceError(.system, "\(what): \(error)")
        }
    }
}
