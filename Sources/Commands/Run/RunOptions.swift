import ArgumentParser
import Domain
import Policy

/// What brings a finished command's changes into the project.
enum ApplyMode: String, ExpressibleByArgument, CaseIterable, Sendable {
    case auto, ask, never
}

/// The options of `bailey run` as they were written; parsed further where they are used.
struct RunOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: "The project directory (default: the nearest with .bailey or .git, else the working directory)."
    )
    var project: String?

    @Option(help: "auto: apply if no rule asks or denies; ask: show and ask; never: hold the changes.")
    var apply: ApplyMode?

    @Option(
        help: "How the project is shown: overlay (copy-on-write view), copy, or direct (itself: live changes, no gate)."
    )
    var workspace: WorkspaceMode?

    @Option(help: "The sandbox engine: auto or native.")
    var engine: String = "auto"

    @Option(
        parsing: .unconditional,
        help: "Wall-clock limit, such as 90, 2s, 5m or 1h (default 1h; none on a terminal)."
    )
    var timeout: String?

    @Option(parsing: .unconditional, help: "Memory of all processes together, such as 512MiB (default 4GiB).")
    var memory: String?

    @Option(
        name: .customLong("cpu-time"),
        parsing: .unconditional,
        help: "CPU time of all processes together (default 30m)."
    )
    var cpuTime: String?

    @Option(parsing: .unconditional, help: "Processes and threads at a time (default 512).")
    var processes: String?

    @Option(
        name: .customLong("output-limit"),
        parsing: .unconditional,
        help: "Bytes of output (default 64MiB; none on a terminal)."
    )
    var outputLimit: String?

    @Option(parsing: .unconditional, help: "Tokens of models, read and written, that the run may use in all.")
    var tokens: String?

    @Option(parsing: .unconditional, help: "What the run may spend on models, such as '5 USD'.")
    var money: String?

    @Option(
        name: .customLong("env"),
        parsing: .unconditionalSingleValue,
        help: "Pass your variable NAME, or set NAME=VALUE. May be repeated."
    )
    var environment: [String] = []

    @Option(parsing: .unconditionalSingleValue, help: "Show another directory or file, read-only. May be repeated.")
    var readable: [String] = []

    @OptionGroup var network: NetworkOptions

    @Option(help: "Run the command as this agent is run, whatever it is called; see bailey recipe list.")
    var recipe: String?

    @Flag(name: .customLong("no-recipe"), help: "Run the command as any other, even if it is a known agent.")
    var noRecipe = false

    @Flag(
        name: .customLong("no-wait"),
        help: "Fail at once where a direct run has the project to itself, or would need it to itself."
    )
    var noWait = false

    @Flag(help: "Print what became of the run at its end also where nothing did that is worth a line.")
    var summary = false

    @Flag(help: "Print nothing about the run but alarms and errors.")
    var quiet = false

    @Flag(help: "Print one JSON object about the run; the command's output goes to standard error.")
    var json = false

    @Argument(parsing: .captureForPassthrough, help: "The command and its arguments, after --.")
    var command: [String] = []

    /// The command's words; an option that is none of ours never becomes a command.
    func words() throws(CommandError) -> [String] {
        var words = command
        if words.first == "--" {
            words.removeFirst()
        } else if let first = words.first, first.hasPrefix("-") {
            throw CommandError(
                ExitStatus.usage,
                "read the options of run: unknown option \(Printable.text(first))",
                hint: "`bailey run --help` lists them; the command goes after --."
            )
        }
        guard let name = words.first, !name.isEmpty else {
            throw CommandError(
                ExitStatus.usage,
                "run a command: none was given",
                hint: "bailey run -- COMMAND [ARGUMENT…]"
            )
        }
        guard workspace != .direct || apply == nil else {
            throw CommandError(
                ExitStatus.usage,
                "read the options of run: --apply says nothing with --workspace direct, whose changes are live",
                hint: "Leave --apply out, or use --workspace overlay to have the changes wait."
            )
        }
        guard recipe == nil || !noRecipe else {
            throw CommandError(
                ExitStatus.usage,
                "read the options of run: --recipe and --no-recipe contradict each other",
                hint: "Leave one out."
            )
        }
        guard !summary || !quiet && !json else {
            throw CommandError(
                ExitStatus.usage,
                "read the options of run: --summary says the opposite of \(quiet ? "--quiet" : "--json")",
                hint: "--json has all that a summary says as members; leave one of the two out."
            )
        }
        guard engine == "auto" || engine == "native" else {
            throw CommandError(
                ExitStatus.usage,
                "choose the engine \(Printable.text(engine)): this version has auto and native",
                hint: "Leave --engine out."
            )
        }
        return words
    }

    /// `--apply`, or what fits where Bailey runs.
    func applyMode(_ console: Console) -> ApplyMode { apply ?? (console.isInteractive && !json ? .ask : .never) }

    /// The limits that the command line sets.
    func limits() throws(CommandError) -> LimitSettings {
        var settings = LimitSettings()
        settings.timeoutSeconds = try Self.parse(timeout, "--timeout", DurationText.accepted) {
            DurationText($0)?.seconds
        }
        settings.memoryBytes = try Self.parse(memory, "--memory", ByteSize.accepted) { ByteSize($0)?.bytes }
        settings.cpuSeconds = try Self.parse(cpuTime, "--cpu-time", DurationText.accepted) {
            DurationText($0)?.secondsRoundedUp
        }
        settings.processes = try Self.parse(processes, "--processes", CountText.accepted) { CountText($0)?.value }
        settings.outputBytes = try Self.parse(outputLimit, "--output-limit", ByteSize.accepted) { ByteSize($0)?.bytes }
        settings.tokens = try Self.parse(tokens, "--tokens", CountText.accepted) { CountText($0)?.value }
        settings.microdollars = try Self.parse(money, "--money", MoneyText.accepted) { MoneyText($0)?.microdollars }
        return settings
    }

    private static func parse<Value>(
        _ text: String?,
        _ option: String,
        _ accepted: String,
        _ parse: (String) -> Value?
    ) throws(CommandError) -> Value? {
        guard let text else { return nil }
        guard let value = parse(text) else {
            throw CommandError(
                ExitStatus.usage,
                "read \(option) \(Printable.text(text)): not a value it takes",
                hint: "It takes \(accepted)."
            )
        }
        return value
    }
}

extension WorkspaceMode: ExpressibleByArgument {}
