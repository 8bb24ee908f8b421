/// All memory that the launcher needs after it has entered its namespaces, taken before.
struct Scratch {
    /// Up to three descriptors for each operation: source, mask and layers.
    static let descriptorsPerOperation = 3
    /// PATH_MAX of linux/limits.h.
    static let pathBytesMax = 4096

    let descriptors: UnsafeMutablePointer<Int32>
    let identities: UnsafeMutablePointer<Int32>
    let path: UnsafeMutablePointer<CChar>
    let arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    let environment: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    /// Never freed: the process ends by execution or exit.
    init(_ plan: LaunchPlanView) {
        let descriptorCount = plan.operationCount * Self.descriptorsPerOperation
        descriptors = .allocate(capacity: descriptorCount + 1)
        descriptors.initialize(repeating: -1, count: descriptorCount + 1)
        identities = .allocate(capacity: plan.identityCount + 1)
        identities.initialize(repeating: -1, count: plan.identityCount + 1)
        path = .allocate(capacity: Self.pathBytesMax)
        path.initialize(repeating: 0, count: Self.pathBytesMax)
        arguments = .allocate(capacity: plan.argumentCount + 1)
        for row in 0..<plan.argumentCount { arguments[row] = UnsafeMutablePointer(mutating: plan.argument(row)) }
        arguments[plan.argumentCount] = nil
        environment = .allocate(capacity: plan.environmentCount + 1)
        for row in 0..<plan.environmentCount {
            environment[row] = UnsafeMutablePointer(mutating: plan.environment(row))
        }
        environment[plan.environmentCount] = nil
    }
}
