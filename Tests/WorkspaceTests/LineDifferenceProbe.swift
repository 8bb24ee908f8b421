@testable import Workspace

/// Checks a difference by rebuilding the new lines from it.
enum LineDifferenceProbe {
    static func steps(_ old: [Int], _ new: [Int]) -> (rebuilt: [Int], kept: Int)? {
        guard let steps = LineDifference.steps(old, new) else { return nil }
        var rebuilt: [Int] = []
        var (kept, position) = (0, 0)
        for step in steps {
            switch step {
            case .keep(let line, let other):
                guard line == position, old[line] == new[other] else { return nil }
                rebuilt.append(old[line])
                position += 1
                kept += 1
            case .remove(let line):
                guard line == position else { return nil }
                position += 1
            case .insert(let line):
                rebuilt.append(new[line])
            }
        }
        return position == old.count ? (rebuilt, kept) : nil
    }

    static func longestCommon(_ old: [Int], _ new: [Int]) -> Int {
        var row = [Int](repeating: 0, count: new.count + 1)
        for left in old {
            var diagonal = 0
            for (index, right) in new.enumerated() {
                let above = row[index + 1]
                row[index + 1] = left == right ? diagonal + 1 : max(above, row[index])
                diagonal = above
            }
        }
        return row[new.count]
    }
}
