import Foundation
import TestSupport
import Testing

@Suite("A project on any file system is built behind the wall", .enabled(if: getuid() == 0, "only root mounts"))
struct StorageProjectTests {
    struct Storage: Sendable, CustomTestStringConvertible {
        let name: String
        let program: String
        /// Mounts the file system at `$YARD/mounted`.
        let mount: String
        /// What the record says, where no overlay is possible there.
        let reason: String
        var testDescription: String { name }
    }

    static let storages = [
        Storage(name: "tmpfs", program: "mount", mount: "mount -t tmpfs tmpfs mounted", reason: "null"),
        Storage(
            name: "overlayfs",
            program: "mount",
            mount: "mkdir l u w; mount -t overlay -o lowerdir=l,upperdir=u,workdir=w overlay mounted",
            reason: "\"the run's directory lies on overlay\""
        ),
        Storage(
            name: "FUSE",
            program: "bindfs",
            mount: "mkdir source; bindfs source mounted",
            reason: "\"the run's directory lies on FUSE\""
        ),
    ].filter { ProjectYard.has([$0.program]) }

    /// Files that are made, changed, moved, replaced by another kind, and gone.
    private static let work = """
        ./configure && make -s check && echo '/* more */' >>words.c && chmod 600 words.h && mkdir -p sub/deep && \
        mv suite.c sub/deep && ln -s words.c link && rm Makefile.in && mkdir Makefile.in && make -s clean
        """
    private static let cases = storages.flatMap { storage in TestIdentity.available.map { (storage, $0) } }

    @Test(.enabled(if: ProjectYard.has(["gcc", "make"])), arguments: cases)
    func isBuilt(_ storage: Storage, _ identity: TestIdentity) throws {
        let yard = try ProjectYard(identity)
        try yard.lay("c")
        let outside = try yard.outside(Self.work)
        let expected = try yard.picture(volatile: "nothing")
        let become = identity.prefix.joined(separator: " ")
        let behind = try yard.privately(
            """
            umask 022; mkdir mounted; \(storage.mount); chmod 755 mounted; trap 'umount -l mounted' EXIT
            cp -R "$SAMPLES/c" mounted/project; chown -R \(identity.uid):\(identity.uid) mounted/project
            cd mounted/project
            \(become) "$BAILEY" run --apply auto -- /bin/sh -c '\(Self.work.replacing("'", with: "'\\''"))'
            \(become) "$BAILEY" journal events --type RUN_CREATED last >"$YARD/record"
            rm -rf "$YARD/project"; cp -a . "$YARD/project"; cd "$YARD"
            """
        )
        #expect(behind.status == 0, "\(behind.summary)")
        #expect(behind.stdout == outside.stdout, "\(behind.summary)")
        #expect(try yard.picture(volatile: "nothing") == expected, "\(behind.summary)")
        let record = try String(contentsOfFile: yard.path + "/record", encoding: .utf8)
        #expect(record.contains("\"workspace_reason\":\(storage.reason)"), "\(record)")
    }
}
