import Authority
import Domain
import Files
import Journal
import Workspace

/// The wiring: plain initialisers in order. Whoever needs a clock, a key or randomness gets it from here.
struct Assembly: Sendable {
    let time: SystemTime
    let key: HMACKey
    let signing: SigningKey
    let authority: Authority

    init(_ place: borrowing RunPlace) throws { try self.init(state: place.state) }

    init(state: borrowing StateDirectory) throws {
        time = SystemTime()
        let key = try HMACKey(stateDirectory: state.handle)
        self.key = key
        signing = try SigningKey(stateDirectory: state.handle)
        authority = Authority(
            time: time,
            keyedDigest: { key.digest($0) },
            random: { .random(in: .min ... .max) }
        )
    }

    /// The run whose stored files are meant. They bear a tag under the user's key, since a project's files can come
    /// from anywhere.
    func stored(_ run: RunID, of project: String, in runDirectory: String) -> StoredRun {
        StoredRun(
            run: run,
            project: project,
            runDirectory: runDirectory,
            seal: StoredSeal { [key] in key.digest($0) }
        )
    }

    func stored(_ directory: borrowing RunDirectory, of project: borrowing ProjectDirectory) -> StoredRun {
        stored(directory.run, of: project.project, in: directory.path)
    }

    /// Signs where a run's journal stands, at its end and at each pause.
    func recordHead(of run: RunID, _ journal: JournalWriter, _ place: borrowing RunPlace) throws {
        try recordHead(of: run, journal, place.projectDirectory, place.principal)
    }

    func recordHead(
        of run: RunID,
        _ journal: JournalWriter,
        _ project: borrowing ProjectDirectory,
        _ principal: Principal
    ) throws {
        let authorityJournal = try AuthorityJournal(in: project.handle, project: project.id, key: signing, time: time)
        try authorityJournal.recordHead(of: run, journal.head, actor: principal)
    }
}
