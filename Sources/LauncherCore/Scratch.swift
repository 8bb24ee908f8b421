import CLinux
import Glibc

/// All memory that the launcher's halves need for a plan: pages straight from the kernel, because the sandbox's init
/// may not ask an allocator that was cloned in any state.
struct Scratch {
    /// Up to three descriptors for each operation: source, mask and layers.
    static let descriptorsPerOperation = 3
    /// PATH_MAX of linux/limits.h.
    static let pathBytesMax = 4096

    private let descriptors: UnsafeMutablePointer<Int32>
    let identities: UnsafeMutablePointer<Int32>
    let path: UnsafeMutablePointer<CChar>
    let arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    let environment: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    /// Never given back: the process ends by execution or exit.
    init(_ plan: LaunchPlanView) throws(LaunchFailure) {
        let descriptorCount = plan.operationCount * Self.descriptorsPerOperation
        let words = plan.argumentCount + plan.environmentCount + 2
        let bytes = words * 8 + (descriptorCount + plan.identityCount) * 4 + Self.pathBytesMax
        guard let pages = bailey_pages(bytes) else { throw LaunchFailure(.readPlan, code: errno) }
        // Pages begin as zeros, which end both lists.
        arguments = pages.assumingMemoryBound(to: UnsafeMutablePointer<CChar>?.self)
        environment = arguments + plan.argumentCount + 1
        descriptors = (pages + words * 8).assumingMemoryBound(to: Int32.self)
        identities = descriptors + descriptorCount
        path = UnsafeMutableRawPointer(identities + plan.identityCount).assumingMemoryBound(to: CChar.self)
        for index in 0..<descriptorCount + plan.identityCount { descriptors[index] = -1 }
        for row in 0..<plan.argumentCount { arguments[row] = UnsafeMutablePointer(mutating: plan.argument(row)) }
        for row in 0..<plan.environmentCount {
            environment[row] = UnsafeMutablePointer(mutating: plan.environment(row))
        }
    }

    /// Where the sources of an operation are, or -1.
    func slots(of row: Int) -> UnsafeMutablePointer<Int32> { descriptors + row * Self.descriptorsPerOperation }
}
