import Domain

/// The places that a repository leads to, in an order in which those for a change are found without a look at each.
struct PlaceLookup {
    let places: [PointedPaths.Place]

    /// The first place at each path, by its number.
    private let here: [RelativePath: Int]
    /// The first one at each path that leads to what lies below it, too.
    private let above: [RelativePath: Int]
    /// By path, so that everything below a path stands together.
    private let sorted: [(path: RelativePath, number: Int)]

    init(_ places: [PointedPaths.Place]) {
        self.places = places
        var here: [RelativePath: Int] = [:]
        var above: [RelativePath: Int] = [:]
        for (number, place) in places.enumerated() {
            if here[place.path] == nil { here[place.path] = number }
            if !place.isExact, above[place.path] == nil { above[place.path] = number }
        }
        self.here = here
        self.above = above
        sorted = here.map { (path: $0.key, number: $0.value) }.sorted { $0.path < $1.path }
    }

    /// What leads to a changed path, into it or, where it is replaced, below it: a configuration key or a link. The
    /// first that does, in the order in which they were found.
    func source(leadingTo change: Change) -> String? {
        var numbers = [here[change.path]] + ancestors(of: change.path)
        if change.kind == .deleted || change.file != .directory { numbers += below(change.path) }
        return numbers.compactMap { $0 }.min().map { places[$0].source }
    }

    private func ancestors(of path: RelativePath) -> [Int?] {
        guard !above.isEmpty else { return [] }
        var found: [Int?] = []
        var path = path
        while !path.isRoot {
            path = path.parent
            found.append(above[path])
        }
        return found
    }

    private func below(_ path: RelativePath) -> [Int?] {
        var low = 0
        var high = sorted.count
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle].path < path { low = middle + 1 } else { high = middle }
        }
        return sorted[low...].prefix { $0.path.isWithin(path) }.map(\.number)
    }
}
