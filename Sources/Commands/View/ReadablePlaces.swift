import Domain
import Glibc
import Policy
import Sandbox

/// The places that a sandbox shows read-only beside the system: programs installed in the home, and what was asked for.
/// Credential places win over both.
enum ReadablePlaces {
    static func judge(_ asked: [String], caller: Caller) throws(CommandError) -> [String] {
        let homes = homes(caller)
        var places = toolchains(caller)
        for path in asked { places.append(try judge(path, homes)) }
        return places
    }

    /// Why a path cannot be shown; nil if it can.
    static func problem(_ path: String, caller: Caller) -> String? {
        do throws(CommandError) {
            _ = try judge(path, homes(caller))
            return nil
        } catch {
            return error.message
        }
    }

    /// Programs installed in the home, by the closed table of layouts.
    static func toolchains(_ caller: Caller) -> [String] {
        let homes = homes(caller)
        return homes.flatMap(Toolchains.present).filter { path in
            Caller.resolved(path).map { !isSecret($0, homes) } ?? false
        }
    }

    /// Settings with tokens that lie among those programs.
    static func settings(_ caller: Caller) -> [String] { homes(caller).flatMap(Toolchains.presentSettings) }

    /// The caller's home and, where HOME points elsewhere, the account's own.
    private static func homes(_ caller: Caller) -> [String] {
        let account = getpwuid(caller.userID).flatMap { Caller.resolved(String(cString: $0.pointee.pw_dir)) }
        guard let account, account != caller.home, account != "/" else { return [caller.home] }
        return [caller.home, account]
    }

    private static func judge(_ path: String, _ homes: [String]) throws(CommandError) -> String {
        if let problem = ReadablePath.problem(path) {
            throw CommandError(ExitStatus.usage, "show \(Printable.text(path)): \(problem)", hint: ReadablePath.hint)
        }
        guard let resolved = Caller.resolved(path) else {
            throw CommandError(ExitStatus.usage, "show \(Printable.text(path)): \(String(cString: strerror(errno)))")
        }
        guard !isSecret(resolved, homes) else {
            throw CommandError(
                ExitStatus.usage,
                "show \(Printable.text(path)): it is, or holds, a place for credentials",
                hint: "No option or configuration shows those. Name a narrower directory."
            )
        }
        for place in ["/", "/etc", "/proc", "/sys", "/dev", "/run", "/boot", "/var", "/tmp", "/root", "/home"]
        where resolved == place {
            throw CommandError(ExitStatus.usage, "show \(place): too wide", hint: "Name a narrower directory.")
        }
        return path
    }

    private static func isSecret(_ path: String, _ homes: [String]) -> Bool {
        CredentialPlaces.isCredentialPlace(absolutePath: path, homes: homes)
    }
}
