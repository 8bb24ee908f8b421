/// A promise that an input broke.
package struct FuzzFinding: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

/// Throws a finding unless the condition holds.
func promise(_ condition: @autoclosure () throws -> Bool, _ text: @autoclosure () -> String) throws {
    guard try condition() else { throw FuzzFinding(text()) }
}
