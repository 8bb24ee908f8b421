package import Domain

/// Limits that somebody set; what is nil was left to the defaults.
package struct LimitSettings: Sendable, Equatable {
    package var timeoutSeconds: Double?
    package var memoryBytes: UInt64?
    package var processes: UInt64?
    package var cpuSeconds: UInt64?
    package var outputBytes: UInt64?
    package var workspaceBytes: UInt64?
    package var workspaceFiles: UInt64?
    package var openFiles: UInt64?
    /// Of models, read and written.
    package var tokens: UInt64?
    /// Millionths of a dollar, for models.
    package var microdollars: UInt64?

    package init() {}

    /// These settings, and those of `lower` where nothing is set here.
    package func over(_ lower: LimitSettings) -> LimitSettings {
        combined(with: lower) {
            $0 ?? $1
        } and: {
            $0 ?? $1
        }
    }

    /// These settings, nowhere above those of `other`; what only `other` sets is held against the default.
    package func narrowed(by other: LimitSettings) -> LimitSettings {
        let narrower = other.combined(with: Self.defaults, Self.lesser, and: Self.lesser).onlyWhereSet(in: other)
        return combined(with: narrower, Self.lesser, and: Self.lesser)
    }

    /// The whole set for one run.
    ///
    /// - Parameter interactive: on a terminal there is no limit on time and output unless somebody set one.
    package func resourceLimits(interactive: Bool) -> ResourceLimits {
        let defaults = ResourceLimits()
        var limits = defaults
        limits.timeoutSeconds = timeoutSeconds ?? (interactive ? nil : defaults.timeoutSeconds)
        limits.outputBytes = outputBytes ?? (interactive ? nil : defaults.outputBytes)
        limits.memoryBytes = memoryBytes ?? defaults.memoryBytes
        limits.processes = processes ?? defaults.processes
        limits.cpuSeconds = cpuSeconds ?? defaults.cpuSeconds
        limits.workspaceBytes = workspaceBytes ?? defaults.workspaceBytes
        limits.workspaceFiles = workspaceFiles ?? defaults.workspaceFiles
        limits.openFiles = openFiles ?? defaults.openFiles
        return limits
    }

    private static var defaults: LimitSettings {
        let limits = ResourceLimits()
        var settings = LimitSettings()
        settings.timeoutSeconds = limits.timeoutSeconds
        settings.memoryBytes = limits.memoryBytes
        settings.processes = limits.processes
        settings.cpuSeconds = limits.cpuSeconds
        settings.outputBytes = limits.outputBytes
        settings.workspaceBytes = limits.workspaceBytes
        settings.workspaceFiles = limits.workspaceFiles
        settings.openFiles = limits.openFiles
        return settings
    }

    private static func lesser<Number: Comparable>(_ left: Number?, _ right: Number?) -> Number? {
        guard let left, let right else { return left ?? right }
        return min(left, right)
    }

    private func combined(
        with other: LimitSettings,
        _ choose: (UInt64?, UInt64?) -> UInt64?,
        and chooseSeconds: (Double?, Double?) -> Double?
    ) -> LimitSettings {
        var result = LimitSettings()
        result.timeoutSeconds = chooseSeconds(timeoutSeconds, other.timeoutSeconds)
        for field in Self.counts { result[keyPath: field] = choose(self[keyPath: field], other[keyPath: field]) }
        return result
    }

    private func onlyWhereSet(in other: LimitSettings) -> LimitSettings {
        var result = self
        if other.timeoutSeconds == nil { result.timeoutSeconds = nil }
        for field in Self.counts where other[keyPath: field] == nil { result[keyPath: field] = nil }
        return result
    }

    private static var counts: [WritableKeyPath<LimitSettings, UInt64?>] {
        [
            \.memoryBytes, \.processes, \.cpuSeconds, \.outputBytes, \.workspaceBytes, \.workspaceFiles, \.openFiles,
            \.tokens, \.microdollars,
        ]
    }
}
