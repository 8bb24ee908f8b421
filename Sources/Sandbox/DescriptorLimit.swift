import Glibc

/// How many descriptors this process may have open at once.
enum DescriptorLimit {
    /// Raises the limit as far as nobody has to be asked for it. What a sandbox may open is said in its plan.
    ///
    /// - Returns: the limit afterwards; 0 if it is not known.
    static func raised(to wanted: UInt64) -> UInt64 {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return 0 }
        let before = limit.rlim_cur
        guard before < wanted else { return UInt64(before) }
        limit.rlim_cur = min(rlim_t(wanted), limit.rlim_max)
        return UInt64(setrlimit(resource, &limit) == 0 ? limit.rlim_cur : before)
    }
}
