/// Finds what somebody probably meant.
package enum NearestName {
    /// Names longer than this are not compared.
    private static let bytesMax = 64

    /// The candidate with the fewest edits to `name`, if they are few.
    package static func find(_ name: String, among candidates: [String]) -> String? {
        let ranked = candidates.map { ($0, distance(name, $0)) }
        guard let (best, edits) = ranked.min(by: { $0.1 < $1.1 }) else { return nil }
        return edits <= max(1, best.utf8.count / 3) ? best : nil
    }

    /// Optimal string alignment: insertions, deletions, replacements and swaps of neighbours, ASCII case ignored.
    static func distance(_ left: String, _ right: String) -> Int {
        let left = left.utf8.map(ASCIIFold.lower)
        let right = right.utf8.map(ASCIIFold.lower)
        guard left.count <= bytesMax, right.count <= bytesMax else { return .max }
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        for row in left.indices {
            var current = [row + 1]
            for column in right.indices {
                let cost = left[row] == right[column] ? 0 : 1
                var edits = min(last[column + 1] + 1, current[column] + 1, last[column] + cost)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    edits = min(edits, beforeLast[column - 1] + 1)
                }
                current.append(edits)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
