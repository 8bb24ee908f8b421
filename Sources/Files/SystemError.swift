import Glibc

/// A system call that failed: which, with what errno, on what.
package struct SystemError: Error, CustomStringConvertible, Equatable {
    package let call: String
    package let code: Int32
    package let path: String?

    package init(_ call: String, code: Int32, path: String? = nil) {
        self.call = call
        self.code = code
        self.path = path
    }

    package var description: String {
        let reason = String(cString: strerror(code))
        return path.map { "\(call) \($0): \(reason)" } ?? "\(call): \(reason)"
    }

    /// Returns the result of a call, or throws what errno says if it is negative. Read directly after the call.
    package static func check<Result: SignedInteger>(
        _ call: String,
        _ result: Result,
        path: @autoclosure () -> String? = nil
    ) throws(SystemError) -> Result {
        guard result < 0 else { return result }
        let code = errno
        throw SystemError(call, code: code, path: path())
    }
}
