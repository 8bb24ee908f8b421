import CLinux
import Domain
import Files
import Glibc
import Journal
import Policy

/// The project that the caller stands in: its `.bailey`, its secrets' modes, its own configuration, room.
struct ProjectChecks {
    /// Entries of the project's top that are looked at for secrets.
    private static let entriesMax = 10_000
    /// The latest runs that are asked whether the project is worked on directly.
    private static let runsMax = 20

    let caller: Caller
    let explicit: String?

    func all() -> [Diagnosis] {
        do {
            let project = try ProjectLocator.locate(explicit: explicit, caller: caller)
            return [bailey(project), configuration(project)] + secrets(project)
        } catch {
            // Standing in no project is nothing wrong.
            return explicit == nil ? [] : [.error("project", error.message, fix: error.hint)]
        }
    }

    private func bailey(_ project: String) -> Diagnosis {
        guard access(project, W_OK) == 0 else {
            return .error("project", "\(project) is not writable for you", fix: "chown or chmod the project directory")
        }
        var status = stat()
        guard lstat(project + "/.bailey", &status) == 0 else { return .ok("project", "\(project) (no runs yet)") }
        do {
            let state = try StateDirectory.open(caller, project: project)
            let directory = try ProjectDirectory.open(project, state: state, caller: caller, makesIfAbsent: false)
            return .ok("project", "\(directory.path), id \(directory.id)")
        } catch let error as CommandError {
            return .error("project", error.message, fix: error.hint)
        } catch {
            return .error("project", "\(error)", fix: nil)
        }
    }

    private func configuration(_ project: String) -> Diagnosis {
        do {
            _ = try ConfigurationFiles.load(caller: caller, project: project)
            return .ok("bailey.yml", "understood")
        } catch let error as any UserFacingError {
            return .error("bailey.yml", error.message, fix: error.hint)
        } catch {
            return .error("bailey.yml", "\(error)", fix: nil)
        }
    }

    /// Hidden from the sandbox all the same; other users of this machine are what the mode is about.
    private func secrets(_ project: String) -> [Diagnosis] {
        guard let root = try? Directory(trustedPath: project),
            let entries = try? root.entries(atMost: Self.entriesMax)
        else { return [] }
        let git = try? GitView(project: project, caller: caller)
        let isDirect = isWorkedOnDirectly(project)
        return entries.flatMap { entry -> [Diagnosis] in
            guard let path = RelativePath.root.appending(entry.name), HiddenPaths.judge(path) == .hidden,
                let status = try? root.status(entry.name), status.kind == .file
            else { return [] }
            let file = project + "/" + path.description
            let isTracked = git?.isTrackedUnchanged(path) ?? false
            return secret(file, status, isTracked: isTracked)
                + (isDirect ? directSecret(file, status, isTracked: isTracked) : [])
        }
    }

    private func isWorkedOnDirectly(_ project: String) -> Bool {
        guard let state = try? StateDirectory.open(caller, project: project),
            let directory = try? ProjectDirectory.open(project, state: state, caller: caller, makesIfAbsent: false),
            let runs = try? RunDirectory.all(in: directory)
        else { return false }
        return runs.suffix(Self.runsMax).contains { run in
            guard let place = try? RunDirectory.open(run, in: directory),
                let lines = try? JournalReader.lines(.run(run), in: place.handle)
            else { return false }
            return lines.first?.data["workspace"]?.stringValue == WorkspaceMode.direct.rawValue
        }
    }

    /// A direct run works where everything else of the user happens: a secret that it can read or change is an error.
    private func directSecret(_ file: String, _ status: FileStatus, isTracked: Bool) -> [Diagnosis] {
        if isTracked {
            return [
                .error(
                    "direct mode",
                    "\(file) is in git, so that direct runs of this project read it",
                    fix: "git rm --cached \(file), and change the secrets in it"
                )
            ]
        }
        guard status.linkCount > 1 else { return [] }
        return [
            .error(
                "direct mode",
                "\(file) has another name, by which direct runs of this project may read and change it",
                fix: "cp -p \(file) \(file).new && mv \(file).new \(file)"
            )
        ]
    }

    private func secret(_ file: String, _ status: FileStatus, isTracked: Bool) -> [Diagnosis] {
        var found: [Diagnosis] = []
        if status.mode & 0o077 != 0 {
            let mode = String(status.mode, radix: 8)
            found.append(.warning("secret file", "\(file) has mode \(mode)", fix: "chmod 600 \(file)"))
        }
        if isTracked {
            found.append(
                .warning(
                    "tracked secret",
                    "\(file) is in git, so that commands see it",
                    fix: "git rm --cached \(file), and change the secrets in it"
                )
            )
        }
        return found
    }
}
