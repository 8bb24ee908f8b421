import Domain
import Foundation
import Testing
import Workspace

@Suite("Names that the command made for one file are applied as files of their own")
struct HardLinkTests {
    @Test(arguments: ["644", "000", "200"])
    func areSeparate(_ mode: String) throws {
        let bench = try Bench()
        try bench.outside("echo old >a; echo old >kept")
        let plan = try bench.prepare(.copy(reason: nil))
        try bench.inside(plan, "echo new >a; ln a b; mkdir d; ln a d/c; chmod \(mode) a; echo lone >lone")
        let set = try plan.listChanges(limits: ResourceLimits())
        try bench.perform(set, plan)
        let bits = String(try #require(Int(mode, radix: 8)), radix: 8)
        #expect(
            try bench.picture() == [
                "a file \(bits) false new\\x0a", "b file \(bits) false new\\x0a", "d directory 755",
                "d/c file \(bits) false new\\x0a", "kept file 644 false old\\x0a", "lone file 644 false lone\\x0a",
            ]
        )
    }
}
