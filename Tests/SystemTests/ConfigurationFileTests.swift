import Foundation
import TestSupport
import Testing

@Suite("A configuration file that is wrong stops the run and says which key")
struct ConfigurationFileTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let text: String
        let says: [String]

        init(_ name: String, _ text: String, _ says: [String]) {
            testDescription = name
            self.text = text
            self.says = says
        }
    }

    static let operatorCases = [
        Case("unknown key", "limits:\n  timeuot: 5m\n", ["config.yml", "timeuot", "timeout"]),
        Case("unknown section", "limit:\n  timeout: 5m\n", ["config.yml", "limit"]),
        Case("wrong type", "limits:\n  timeout: [1, 2]\n", ["config.yml", "timeout"]),
        Case("wrong value", "limits:\n  memory: lots\n", ["config.yml", "memory", "lots"]),
        Case("a list for a section", "- limits\n", ["config.yml"]),
        Case("no YAML", "limits: {timeout: [\n", ["config.yml"]),
        Case("a key twice", "limits:\n  timeout: 1m\n  timeout: 2m\n", ["config.yml", "timeout"]),
        Case("an alias", "a: &x [1]\nlimits: *x\n", ["config.yml"]),
    ]

    static let projectCases = [
        Case("readable paths", "sandbox:\n  readable: [/srv]\n", ["bailey.yml", "readable", "operator"]),
        Case("engines", "sandbox:\n  engines: [native]\n", ["bailey.yml", "engines", "operator"]),
        Case("unknown key", "limits:\n  memroy: 1GiB\n", ["bailey.yml", "memroy", "memory"]),
    ]

    private func refused(_ yard: Yard, _ says: [String]) throws {
        let result = try yard.bailey(["run", "--", "true"])
        #expect([2, 125].contains(result.status), "\(result.summary)")
        for word in says { #expect(result.stderr.contains(word), "\(word): \(result.summary)") }
        #expect(!yard.exists("project/.bailey"))
    }

    @Test(arguments: operatorCases) func ofTheOperator(_ item: Case) throws {
        let yard = try Yard()
        try yard.write(item.text, to: "config/bailey/config.yml")
        try refused(yard, item.says)
    }

    @Test(arguments: projectCases) func ofTheProject(_ item: Case) throws {
        let yard = try Yard()
        try yard.write(item.text, to: "project/bailey.yml")
        try refused(yard, item.says)
    }

    @Test func thatOthersCanChange() throws {
        let yard = try Yard()
        try yard.write("limits:\n  timeout: 5m\n", to: "config/bailey/config.yml")
        try yard.outside("chmod 664 ../config/bailey/config.yml")
        try refused(yard, ["config.yml", "others can change it", "chmod go-w"])
    }

    @Test func thatIsNoFile() throws {
        let yard = try Yard()
        try yard.outside("mkfifo bailey.yml")
        try refused(yard, ["bailey.yml", "regular file"])
    }

    @Test func theProjectNarrowsTheOperator() throws {
        let yard = try Yard()
        try yard.write("limits:\n  timeout: 5m\n  output: 1MiB\n", to: "config/bailey/config.yml")
        try yard.write("limits:\n  timeout: 1s\n  output: 2MiB\n", to: "project/bailey.yml")
        let slow = try yard.bailey(["run", "--json", "--", "sleep", "30"])
        #expect(slow.status == 124, "\(slow.summary)")
        let wide = try yard.bailey(["run", "--json", "--timeout", "60", "--", "head", "-c", "1500000", "/dev/zero"])
        #expect(try wide.answer.text("cause") == "output")
    }
}
