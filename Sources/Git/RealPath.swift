import Glibc

/// Paths as the kernel resolves them.
enum RealPath {
    /// The path without links; nil if there is nothing.
    static func of(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(validatingCString: resolved)
    }
}
