import Foundation
import TestSupport
import Testing

@Suite("what a run may use of models is read in one way, or refused in words")
struct ModelTests {
    @Test("amounts that are none are refused in words")
    func badAmounts() throws {
        let yard = try Yard()
        for (option, value, words) in [
            ("--tokens", "0", "whole number"), ("--money", "5", "USD"), ("--money", "-1 USD", "USD"),
            ("--money", "1.0000001 USD", "USD"),
        ] {
            let run = try yard.bailey(["run", option, value, "--", "true"])
            #expect(run.status == 2 && run.stderr.contains(words) && run.stderr.contains(option), "\(run.summary)")
        }
        try yard.write("models: {allow: [claude-*, gpt-5*]}\nlimits: {money: 5 USD}\n", to: "config/bailey/config.yml")
        try yard.write("models: {prices: []}\n", to: "project/bailey.yml")
        let run = try yard.bailey(["run", "--", "true"])
        #expect(run.status != 0 && run.stderr.contains("models.prices") && run.stderr.contains("operator"))
        try yard.write("models: {allow: [\"a b\"]}\n", to: "project/bailey.yml")
        #expect(try yard.bailey(["run", "--", "true"]).stderr.contains("is no model's name"))
    }
}
