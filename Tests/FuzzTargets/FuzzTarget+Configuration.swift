import Domain
import Policy

extension FuzzTarget {
    /// Configuration files. The layers are cut at bytes that no UTF-8 holds; whatever a project says, it only narrows.
    static let configuration = FuzzTarget("configuration", bytesMax: 1 << 17) {
        let own =
            "sandbox:\n  engines: [native, landlock]\n  readable: [/srv/models]\n"
            + "limits:\n  timeout: 1h\n  memory: 4GiB\n"
        let project = "limits: {processes: 12, output: 64MiB, cpu_time: 30m, workspace_files: 2000, open_files: 100}\n"
        let odd = "limits:\n  - a\n  ? b\n  : !!int 'c'\n--- |\n text\n..."
        return [own, project, odd, "%YAML 1.1\n---\n\"k\\u0065y\": >-\n  folded\n"].map { Array($0.utf8) }
            + [Array(own.utf8) + [0xFF] + Array(own.utf8) + [0xFF] + Array(project.utf8)]
    } prepare: {
        { bytes in
            let parts = bytes.split(separator: 0xFF, maxSplits: 2, omittingEmptySubsequences: false).map { Array($0) }
            let sources = zip(["/etc/config.yml", "own/config.yml", "bailey.yml"], parts).map {
                ConfigurationSource(label: $0, bytes: $1)
            }
            let project = sources.count > 2 ? sources[2] : nil
            guard let operators = try load(sources.first, sources.count > 1 ? sources[1] : nil, nil) else { return }
            guard let whole = try load(sources.first, sources.count > 1 ? sources[1] : nil, project) else { return }
            try promise(whole.engines == operators.engines, "a project chose engines")
            try promise(whole.readable == operators.readable, "a project made more readable")
            try expectNarrower(whole, than: operators)
        }
    }

    private static func load(
        _ system: ConfigurationSource?,
        _ own: ConfigurationSource?,
        _ project: ConfigurationSource?
    ) throws -> Configuration? {
        do {
            return try Configuration.load(system: system, operator: own, project: project)
        } catch {
            try promise(isOneLine(error.message) && isOneLine(error.hint ?? ""), "an error steers a terminal")
            return nil
        }
    }

    private static func expectNarrower(_ whole: Configuration, than operators: Configuration) throws {
        for interactive in [false, true] {
            let narrow = whole.limits.resourceLimits(interactive: interactive)
            let wide = operators.limits.resourceLimits(interactive: interactive)
            try promise(
                narrow.timeoutSeconds ?? .infinity <= wide.timeoutSeconds ?? .infinity,
                "a project raised its time"
            )
            try promise(narrow.outputBytes ?? .max <= wide.outputBytes ?? .max, "a project raised its output")
            let isNarrower =
                narrow.memoryBytes <= wide.memoryBytes && narrow.processes <= wide.processes
                && narrow.cpuSeconds <= wide.cpuSeconds && narrow.workspaceBytes <= wide.workspaceBytes
                && narrow.workspaceFiles <= wide.workspaceFiles && narrow.openFiles <= wide.openFiles
            try promise(isNarrower, "a project raised a limit")
        }
    }
}
