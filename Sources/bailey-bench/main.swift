import Domain
import Files
import Glibc

/// Reads requests for measurements from standard input, one a line with its words divided by tabs, and answers each
/// with one JSON object on one line. `script/bench` is who asks; this program is never installed.
var workspaces = WorkspaceBench()
while let line = readLine() {
    let words = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    var answer: JSONValue
    do {
        answer = try words.first == "journal" ? JournalBench.measure(words) : workspaces.measure(words)
    } catch {
        answer = .object([("error", .string("\(error)"))])
    }
    try FileContent.write(answer.bytes() + [UInt8(ascii: "\n")], to: STDOUT_FILENO)
}
