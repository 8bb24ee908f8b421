import Domain

/// Why a command was not executed behind the wall. Nothing ran.
package struct SandboxError: UserFacingError {
    package enum Code: Sendable, Equatable {
        /// Bailey or the machine could not make the sandbox.
        case setup
        /// The launcher is missing, of another version, or could be changed by others.
        case launcher
        case commandNotFound
        case commandNotExecutable
        case workingDirectory
        /// The project's file system cannot be a layer of an overlay; a copy would work.
        case overlay
    }

    package let code: Code
    package let message: String
    package let hint: String?

    package init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }
}
