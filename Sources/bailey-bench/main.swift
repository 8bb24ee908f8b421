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
        switch words.first {
        case "journal": answer = try JournalBench.measure(words)
        case "egress": answer = try EgressBench.serve(words)
        default: answer = try workspaces.measure(words)
        }
    } catch {
        answer = .object([("error", .string("\(error)"))])
    }
    try FileContent.write(answer.bytes() + [UInt8(ascii: "\n")], to: STDOUT_FILENO)
}
