import CLinux
import Domain
import Egress
import Files
import Glibc
import Policy

/// The caller's state directory: owner, modes, keys, room.
struct StateChecks {
    /// Below this the next run may fail in the middle.
    private static let freeBytesMin: UInt64 = 1 << 30

    private static let sshPort: UInt16 = 22

    let caller: Caller

    func all() -> [Diagnosis] {
        do {
            let state = try StateDirectory.open(caller, project: nil)
            return [.ok("state", state.path)] + keys(state) + [space(state.path, state.handle)]
                + configuration()
        } catch let error as CommandError {
            return [.error("state", error.message, fix: error.hint)]
        } catch {
            return [.error("state", "\(error)", fix: nil)]
        }
    }

    private func keys(_ state: borrowing StateDirectory) -> [Diagnosis] {
        ["signing.key", "digest.key"].compactMap { name in
            guard let status = try? state.handle.statusIfPresent(Array(name.utf8)) else { return nil }
            let path = state.path + "/" + name
            guard status.kind == .file, status.userID == caller.userID else {
                return .error("key", "\(path) is not a file of yours", fix: "restore it from a backup")
            }
            guard status.mode & 0o077 == 0 else {
                return .error("key", "\(path) has mode \(String(status.mode, radix: 8))", fix: "chmod 600 \(path)")
            }
            return .ok("key", path)
        }
    }

    private func space(_ path: String, _ directory: borrowing Directory) -> Diagnosis {
        var bytes: UInt64 = 0
        var files: UInt64 = 0
        guard bailey_free_space(directory.raw, &bytes, &files) == 0 else {
            return .warning("disk", "the free space at \(path) is not known", fix: nil)
        }
        let text = "\(bytes >> 20) MiB free at \(path)"
        return bytes < Self.freeBytesMin
            ? .warning("disk", text, fix: "bailey runs prune; bailey home reset") : .ok("disk", text)
    }

    private func configuration() -> [Diagnosis] {
        do {
            let read = try ConfigurationFiles.load(caller: caller, project: "/nonexistent")
            return [.ok("configuration", ConfigurationFiles.operatorFile(caller))] + unseen(read.network)
        } catch let error as any UserFacingError {
            return [.error("configuration", error.message, fix: error.hint)]
        } catch {
            return [.error("configuration", "\(error)", fix: nil)]
        }
    }

    /// SSH is copied as it is, and a push is a person's action.
    private func unseen(_ policy: NetworkPolicy) -> [Diagnosis] {
        let listed = (policy.allow ?? []).filter { $0.port == Self.sshPort }.map(\.text)
        let declared = policy.upstreams.filter { $0.port == Self.sshPort }.map { "the upstream \($0)" }
        return (listed + declared).map { entry in
            .warning(
                "network",
                "\(entry) is SSH: what goes through it is not seen, so that commands can push there unnoticed",
                fix: "take it out of the configuration's network section, and have git use HTTPS there"
            )
        }
    }
}
