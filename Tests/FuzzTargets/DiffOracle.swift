import Domain
import Workspace

/// Shows a change of one file and follows the shown steps.
struct DiffOracle {
    private static let name = "a.txt"

    let old: [UInt8]
    let new: [UInt8]

    func check(_ bed: WorkspaceBed) throws {
        try bed.write(old, Self.name, changed: false)
        try bed.write(new, Self.name, changed: true)
        guard let path = RelativePath(Self.name) else { return }
        let change = Change(path: path, kind: .changed, file: .file, mode: 0o644, previousMode: 0o644)
        var lines: [String] = []
        try UnifiedDiff(bed.plan) { lines.append($0) }.show(ChangeSet(run: bed.plan.run, changes: [change]))
        for line in lines {
            let shown = line.filter { $0 != "\t" }
            try promise(FuzzTarget.isOneLine(shown), "a line of a diff steers a terminal")
        }
        guard Self.isPlain(old), Self.isPlain(new), let start = lines.firstIndex(where: { $0.hasPrefix("@@") }) else {
            return
        }
        let result = try Self.apply(lines[start...], to: Self.lines(old))
        try promise(result == new, "the diff does not lead to the new content")
    }

    /// Content that a diff shows byte by byte.
    private static func isPlain(_ bytes: [UInt8]) -> Bool {
        bytes.allSatisfy { (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\\") || $0 == 0x0A }
            && bytes.split(separator: 0x0A).allSatisfy { $0.count <= UnifiedDiff.lineBytesMax }
    }

    private static func lines(_ bytes: [UInt8]) -> [[UInt8]] {
        var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { Array($0) + [0x0A] }
        if var last = lines.popLast() {
            last.removeLast()
            if !last.isEmpty { lines.append(last) }
        }
        return lines
    }

    private static func apply(_ steps: ArraySlice<String>, to old: [[UInt8]]) throws -> [UInt8] {
        var (position, result) = (0, [UInt8]())
        var last: Character?
        for step in steps {
            defer { last = step.first }
            let content = Array(step.utf8.dropFirst()) + [0x0A]
            switch step.first {
            case "@":
                // `@@ -3,2 +3 @@`: lines up to the third are as they were; `-0,0` and `-5,0` stand behind their line.
                let range = step.dropFirst(4).prefix { $0 != " " }.split(separator: ",")
                guard let first = range.first.flatMap({ Int($0) }) else { throw FuzzFinding("a hunk has no place") }
                let start = range.last == "0" && range.count == 2 ? first : first - 1
                guard start >= position, start <= old.count else { throw FuzzFinding("hunks are out of order") }
                result += old[position..<start].joined()
                position = start
            case "\\": if last == "+" { result.removeLast() }
            case "-": position += 1
            case "+": result += content
            default:
                guard position < old.count else { throw FuzzFinding("a hunk goes beyond the old content") }
                result += old[position]
                position += 1
            }
        }
        guard position <= old.count else { throw FuzzFinding("a hunk goes beyond the old content") }
        return result + old[position...].joined()
    }
}
