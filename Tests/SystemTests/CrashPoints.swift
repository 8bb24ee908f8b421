import TestSupport

/// The named moments at which `bailey` can be ended by SIGKILL. Debug builds know them; a release build has none.
enum CrashPoints {
    static let exist: Bool = {
        guard let yard = try? Yard() else { return false }
        return (try? yard.bailey(["run", "--", "true"], with: ["BAILEY_CRASH_AT": "journal created"]).status) == 137
    }()
}
