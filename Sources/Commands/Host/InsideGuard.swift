import Glibc

/// Inside a sandbox `bailey` answers `--version` and refuses everything else: there is no wall within the wall, and the
/// record is not its to look at.
enum InsideGuard {
    /// A file that every sandbox's view holds.
    static let marker = "/run/bailey/inside"

    static func refuseInside() throws(CommandError) {
        guard access(marker, F_OK) == 0 else { return }
        throw CommandError(
            ExitStatus.deniedOrNotExecutable,
            "run bailey: this is already the inside of a Bailey sandbox",
            hint: "Run the command itself; it is walled in. Do not try another way."
        )
    }
}
