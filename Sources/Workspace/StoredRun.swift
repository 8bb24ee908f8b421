package import Domain

/// The run whose stored files are meant: what they must say to be believed, and the seal that they must bear.
package struct StoredRun: Sendable {
    package let run: RunID
    /// Absolute path of the project.
    package let project: String
    /// Absolute path of the run's own directory below the project's `.bailey`.
    package let runDirectory: String
    let seal: StoredSeal

    package init(run: RunID, project: String, runDirectory: String, seal: StoredSeal) {
        self.run = run
        self.project = project
        self.runDirectory = runDirectory
        self.seal = seal
    }

    var planSeal: FileSeal { seal.file("plan", of: run.rawValue) }
    var changesSeal: FileSeal { seal.file("changes", of: run.rawValue) }
    var intentSeal: FileSeal { seal.file("intent", of: run.rawValue) }

    func manifestSeal(_ tree: Int) -> FileSeal { seal.file("manifest\(tree)", of: run.rawValue) }

    /// An index belongs to its tree and is shared by the tree's runs; a run's plan names the one that it began with.
    func indexSeal(_ lower: String) -> FileSeal { seal.file("index", of: lower) }

    /// The directory that holds a tree's layers.
    func layers(_ tree: Int) -> String {
        runDirectory + "/workspace/" + String(decoding: WorkspaceFiles.tree(tree), as: UTF8.self)
    }

    /// A tree of this run. Where its changes lie follows from the run, and is never read from a file.
    func tree(_ number: Int, lower: String, mode: WorkspaceMode) -> WorkspaceTree {
        let name =
            switch mode {
            case .overlay: "/upper"
            case .copy: "/copy"
            case .direct: ""
            }
        return WorkspaceTree(
            index: number,
            lower: lower,
            changed: layers(number) + name,
            isOverlay: mode != .copy
        )
    }

    /// What is said of a stored file that is not believed.
    func damaged(_ attempt: String) -> WorkspaceError {
        WorkspaceError(
            .damaged,
            "\(attempt): its stored form in \(Printable.text(runDirectory)) is damaged or was changed by somebody else",
            hint: "Discard the run's changes; the files of the project are untouched."
        )
    }
}
