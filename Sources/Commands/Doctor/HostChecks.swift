import Authority
import BrokerLink
import CLinux
import Domain
import Files
import Glibc
import Journal
import Sandbox

/// The machine: its kernel, and whether a command really runs behind the wall here.
struct HostChecks {
    let caller: Caller

    func all() -> [Diagnosis] { [kernel(), launcher(), broker(), probe()] }

    private func kernel() -> Diagnosis {
        let release = text("/proc/sys/kernel/osrelease") ?? "unknown"
        let abi = bailey_landlock_abi()
        guard abi >= 1 else {
            return .error(
                "kernel",
                "Linux \(release) has no Landlock",
                fix: "boot a kernel with CONFIG_SECURITY_LANDLOCK and landlock in the lsm= list"
            )
        }
        return .ok("kernel", "Linux \(release), Landlock ABI \(abi)")
    }

    private func launcher() -> Diagnosis {
        do {
            return .ok("launcher", try LauncherLocator.locate(caller: caller))
        } catch {
            return .error("launcher", error.message, fix: error.hint)
        }
    }

    /// What serves a run's network is walled in itself: it tries its walls where it stands.
    private func broker() -> Diagnosis {
        do {
            let path = try LauncherLocator.locate(BrokerProgram.name, caller: caller)
            let found = try BrokerProbe.run(path: path)
            guard found.isConfined else {
                return .error("broker", "\(path) is not confined: \(found.text)", fix: restriction())
            }
            guard found.text.contains("user-namespace") else {
                let finding = "\(path) has no user namespace of its own; its other walls hold: \(found.text)"
                return .warning("broker", finding, fix: restriction())
            }
            return .ok("broker", "\(path) \(found.text)")
        } catch let error as any UserFacingError {
            return .error("broker", error.message, fix: error.hint)
        } catch {
            return .error("broker", "\(error)", fix: nil)
        }
    }

    /// Executes a real command behind every layer; nothing less shows that the layers hold here.
    private func probe() -> Diagnosis {
        do {
            let outcome = try SandboxProbe(caller: caller).run()
            guard outcome.ending == .exited(code: 0) else {
                return .error(
                    "sandbox",
                    "a trivial command ended with \(outcome.ending)",
                    fix: "report this as a defect"
                )
            }
            let layers = outcome.layers.map(\.rawValue).joined(separator: ", ")
            let memory = outcome.mechanisms[.memory] ?? .none
            return .ok("sandbox", "engine \(outcome.engine); layers \(layers); memory held by \(memory.rawValue)")
        } catch let error as any UserFacingError {
            return .error("sandbox", error.message, fix: restriction() ?? error.hint)
        } catch {
            return .error("sandbox", "\(error)", fix: restriction())
        }
    }

    /// The usual reasons why an ordinary user may not make namespaces, each with its remedy.
    private func restriction() -> String? {
        if text("/proc/sys/user/max_user_namespaces") == "0" {
            return "sysctl -w user.max_user_namespaces=15000 (user namespaces are switched off)"
        }
        if text("/proc/sys/kernel/unprivileged_userns_clone") == "0" {
            return "sysctl -w kernel.unprivileged_userns_clone=1 (user namespaces are closed to ordinary users)"
        }
        if text("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1", !caller.isRoot {
            return
                "Ubuntu's AppArmor takes the capabilities in new user namespaces away; allow bailey-launcher with a "
                + "profile (see docs/sandbox.md), or: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
        }
        if access("/.dockerenv", F_OK) == 0 || access("/run/.containerenv", F_OK) == 0 {
            return "this is a container: start it so that it may make user namespaces, or run bailey on the host"
        }
        return nil
    }

    private func text(_ path: String) -> String? {
        (try? FileContent.read(trustedPath: path, bytesMax: 4096))
            .map { String(decoding: $0, as: UTF8.self).trimmingNewline }
    }
}
