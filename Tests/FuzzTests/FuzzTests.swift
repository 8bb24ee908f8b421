import Foundation
import FuzzTargets
import Testing

@Suite("readers keep their promises whatever the bytes are", .serialized)
struct FuzzTests {
    @Test("inputs that broke a promise once, and valid ones", arguments: FuzzTarget.all)
    func regression(target: FuzzTarget) throws {
        let check = try target.prepare()
        for (number, seed) in try target.seeds().enumerated() {
            #expect(throws: Never.self, "seed \(number)") { try check(seed) }
        }
        for (name, input) in try Fixtures.inputs(of: target) {
            #expect(throws: Never.self, "\(name)") { try check(input) }
        }
    }

    @Test("every fixture belongs to a target")
    func fixturesHaveTargets() throws {
        #expect(Set(try Fixtures.directories()).subtracting(FuzzTarget.all.map(\.name)) == [])
    }

    /// Without guidance by coverage: that is what `script/full/fuzz` is for. What ends the whole process leaves its
    /// input in the file that is named at the start.
    @Test("inputs made by chance from valid ones", arguments: FuzzTarget.all)
    func short(target: FuzzTarget) throws {
        let seed = FuzzTime.seed
        let last = NSTemporaryDirectory() + "/bailey-fuzz-\(target.name)-\(getpid()).last"
        let file = open(last, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        try #require(file >= 0)
        defer {
            close(file)
            unlink(last)
        }
        let pool = try target.seeds() + Fixtures.inputs(of: target).map(\.bytes)
        var mutator = FuzzMutator(seed: seed, pool: pool, bytesMax: target.bytesMax)
        let check = try target.prepare()
        let end = ContinuousClock.now.advanced(by: .seconds(FuzzTime.seconds))
        var rounds = 0
        // Once at least: a machine that is busy has fewer rounds, and no other result.
        repeat {
            let input = mutator.next()
            ftruncate(file, off_t(pwrite(file, input, input.count, 0)))
            rounds += 1
            do {
                try check(input)
            } catch {
                let text = Data(input).base64EncodedString()
                Issue.record("\(error) (BAILEY_FUZZ_SEED=\(seed), round \(rounds), input \(text.prefix(4000)))")
                return
            }
        } while ContinuousClock.now < end
    }
}
