import Foundation
import Yams

func report(_ name: String, _ passed: Bool) { print("\(passed ? "PASS" : "FAIL"): \(name)") }

let words = try Yams.load(yaml: "words: [one, two, three]\n") as? [String: [String]]
report("the vendored dependency reads", words?["words"]?.count == 3)

let place = FileManager.default.temporaryDirectory.appendingPathComponent(
    "tool-\(ProcessInfo.processInfo.processIdentifier)"
)
try Data("kept".utf8).write(to: place, options: .atomic)
report("a file is written in one piece", (try? Data(contentsOf: place))?.count == 4)
try FileManager.default.removeItem(at: place)

let child = Process()
child.executableURL = URL(fileURLWithPath: "/bin/sh")
child.arguments = ["-c", "exit 3"]
try child.run()
child.waitUntilExit()
report("a process is started", child.terminationStatus == 3)

func sum(below limit: Int) async -> Int {
    await withTaskGroup(of: Int.self) { group in
        for number in 0..<limit { group.addTask { number } }
        var total = 0
        for await number in group { total += number }
        return total
    }
}
report("tasks are joined", await sum(below: 64) == 2016)
