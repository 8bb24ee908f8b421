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

    /// Where somebody may still have the command's files open, none of them becomes a file of the project.
    @Test func copiedForWhoeverHasThemOpen() throws {
        let bench = try Bench()
        try bench.outside("echo old >a; mkdir d")
        let plan = try bench.prepare()
        try bench.inside(plan, "echo new >a; echo new >d/b; chmod 600 d/b")
        let layer = plan.trees[0].tree.changed
        let files = try ["a", "d/b"].map { try #require(FileHandle(forUpdatingAtPath: layer + "/" + $0)) }
        try bench.perform(try plan.listChanges(limits: ResourceLimits()), plan, layersAreShared: true)
        for file in files { try file.write(contentsOf: Data("later".utf8)) }
        for file in files { fchmod(file.fileDescriptor, 0o777) }
        #expect(
            try bench.picture() == [
                "a file 644 false new\\x0a", "d directory 755", "d/b file 600 false new\\x0a",
            ]
        )
    }
}
