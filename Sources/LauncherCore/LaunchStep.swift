/// Where the launcher was when something failed. The numbers travel in ``StatusMessage``.
package enum LaunchStep: UInt32, Sendable, CaseIterable {
    case readPlan = 1
    case openSource, makeNamespaces, mapIdentity, awaitParent, takeIdentity, isolateMounts, makeRoot, mount, overlay
    case enterRoot, network, hostName, fork, terminal, keyring, limits, privileges, landlock, seccomp
    case selfTestOpen, selfTestCreate, selfTestConnect, selfTestMount, selfTestPrivileges
    case workingDirectory
    /// No candidate exists.
    case findCommand
    /// A candidate exists and could not be executed.
    case execute
}

/// A failed step. Trivial, so that throwing it allocates nothing.
struct LaunchFailure: Error {
    let step: LaunchStep
    let code: Int32
    /// The address of a text that lives as long as the process: a pointer itself may not be thrown.
    private let pathAddress: UInt

    var path: UnsafePointer<CChar>? { UnsafePointer(bitPattern: pathAddress) }

    init(_ step: LaunchStep, code: Int32, path: UnsafePointer<CChar>? = nil) {
        self.step = step
        self.code = code
        pathAddress = UInt(bitPattern: path)
    }
}
