import TestSupport
import Testing

@Suite("help is given where it is asked for")
struct HelpTests {
    @Test(
        "on standard output, with code 0",
        arguments: ["--help", "run --help", "run -h", "runs --help", "changes apply --help"]
    )
    func help(_ line: String) throws {
        let result = try Yard().bailey(line.split(separator: " ").map(String.init))
        #expect(result.status == 0 && result.stdout.contains("USAGE: bailey"), "\(result.summary)")
        #expect(result.stderr.isEmpty, "\(result.summary)")
    }
}
