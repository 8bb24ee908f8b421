/// The shortest edit between two lists of lines (Myers, "An O(ND) difference algorithm", 1986), within a limit.
struct LineDifference {
    /// One step on the way from the old lines to the new.
    enum Step: Equatable {
        case keep(old: Int, new: Int)
        case remove(old: Int)
        case insert(new: Int)
    }

    /// Edits beyond which the search gives up: its memory grows with the square.
    static let editsMax = 2_000

    /// Nil if the two differ in more than ``editsMax`` lines.
    static func steps<Line: Equatable>(_ old: [Line], _ new: [Line]) -> [Step]? {
        var start = 0
        while start < old.count, start < new.count, old[start] == new[start] { start += 1 }
        var (oldEnd, newEnd) = (old.count, new.count)
        while oldEnd > start, newEnd > start, old[oldEnd - 1] == new[newEnd - 1] {
            oldEnd -= 1
            newEnd -= 1
        }
        guard let middle = search(old[start..<oldEnd], new[start..<newEnd]) else { return nil }
        let before = (0..<start).map { Step.keep(old: $0, new: $0) }
        let after = (0..<(old.count - oldEnd)).map { Step.keep(old: oldEnd + $0, new: newEnd + $0) }
        return before + middle + after
    }

    private static func search<Line: Equatable>(_ old: ArraySlice<Line>, _ new: ArraySlice<Line>) -> [Step]? {
        if old.isEmpty { return new.indices.map { .insert(new: $0) } }
        if new.isEmpty { return old.indices.map { .remove(old: $0) } }
        let limit = min(old.count + new.count, editsMax)
        // furthest[k + limit + 1]: how far into the old lines the best way on diagonal k has come.
        var furthest = [Int](repeating: 0, count: 2 * limit + 3)
        var history: [[Int32]] = []
        for edits in 0...limit {
            history.append(furthest[(limit + 1 - edits)...(limit + 1 + edits)].map { Int32(clamping: $0) })
            for diagonal in stride(from: -edits, through: edits, by: 2) {
                let index = diagonal + limit + 1
                let goesDown = diagonal == -edits || (diagonal != edits && furthest[index - 1] < furthest[index + 1])
                var x = goesDown ? furthest[index + 1] : furthest[index - 1] + 1
                var y = x - diagonal
                while x < old.count, y < new.count, old[old.startIndex + x] == new[new.startIndex + y] {
                    x += 1
                    y += 1
                }
                furthest[index] = x
                if x >= old.count, y >= new.count {
                    return walkBack(history, edits, old.count, new.count, old.startIndex, new.startIndex)
                }
            }
        }
        return nil
    }

    /// Follows the kept rows from the end to the start.
    private static func walkBack(
        _ history: [[Int32]],
        _ edits: Int,
        _ oldCount: Int,
        _ newCount: Int,
        _ oldStart: Int,
        _ newStart: Int
    ) -> [Step] {
        var steps: [Step] = []
        var (x, y) = (oldCount, newCount)
        for edit in stride(from: edits, to: 0, by: -1) {
            // A row holds the diagonals -edit...edit as they were before this edit.
            let row = history[edit]
            let diagonal = x - y
            func before(_ wanted: Int) -> Int { Int(row[wanted + edit]) }
            let goesDown = diagonal == -edit || (diagonal != edit && before(diagonal - 1) < before(diagonal + 1))
            let previous = goesDown ? diagonal + 1 : diagonal - 1
            let previousX = before(previous)
            let previousY = previousX - previous
            let (afterX, afterY) = goesDown ? (previousX, previousY + 1) : (previousX + 1, previousY)
            while x > afterX, y > afterY {
                x -= 1
                y -= 1
                steps.append(.keep(old: oldStart + x, new: newStart + y))
            }
            steps.append(goesDown ? .insert(new: newStart + previousY) : .remove(old: oldStart + previousX))
            (x, y) = (previousX, previousY)
        }
        while x > 0, y > 0 {
            x -= 1
            y -= 1
            steps.append(.keep(old: oldStart + x, new: newStart + y))
        }
        return steps.reversed()
    }
}
