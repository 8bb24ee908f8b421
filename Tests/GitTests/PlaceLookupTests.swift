import Domain
import Testing

@testable import Git

@Suite("what leads to a change is found as if each place had been looked at")
struct PlaceLookupTests {
    /// The meaning, place by place.
    private func expected(_ places: [PointedPaths.Place], _ change: Change) -> String? {
        let isReplaced = change.kind == .deleted || change.file != .directory
        return places.first { place in
            if place.isExact ? change.path == place.path : change.path.isWithin(place.path) { return true }
            return isReplaced && place.path.isWithin(change.path)
        }?.source
    }

    private func path(_ generator: inout some RandomNumberGenerator) -> RelativePath {
        // Few names, so that paths meet; some sort between a name and what lies below it.
        let names = ["a", "b", "a.b", "a-", "c"].map { Array($0.utf8) }
        var path = RelativePath.root
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            path = path.appending(names.randomElement(using: &generator) ?? []) ?? path
        }
        return path
    }

    @Test("over places and changes made by chance")
    func byChance() {
        var generator = SystemRandomNumberGenerator()
        var found = 0
        for _ in 0..<300 {
            let places = (0..<Int.random(in: 0...12, using: &generator)).map { number in
                PointedPaths.Place(path: path(&generator), isExact: .random(using: &generator), source: "\(number)")
            }
            let lookup = PlaceLookup(places)
            for _ in 0..<30 {
                let change = Change(
                    path: path(&generator),
                    kind: [.created, .changed, .deleted].randomElement(using: &generator) ?? .changed,
                    file: Bool.random(using: &generator) ? .directory : .file
                )
                let source = lookup.source(leadingTo: change)
                #expect(source == expected(places, change), "\(change.kind) \(change.file) \(change.path): \(places)")
                found += source == nil ? 0 : 1
            }
        }
        #expect(found > 100)
    }

    @Test("10,000 places cost a change no more than some")
    func many() {
        let places = (0..<10_000).compactMap { RelativePath("d/\($0)") }.map {
            PointedPaths.Place(path: $0, isExact: false, source: $0.description)
        }
        let lookup = PlaceLookup(places)
        let took = ContinuousClock().measure {
            for number in 0..<10_000 {
                guard let path = RelativePath("d/\(number)/x") else { continue }
                let source = lookup.source(leadingTo: Change(path: path, kind: .changed, file: .file))
                #expect(source == "d/\(number)")
            }
        }
        // A look at each place for each change would be 50 million looks.
        #expect(took < .seconds(20))
    }
}
