/// A request that this program does not understand, or that came out of turn.
struct BenchRequestError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
