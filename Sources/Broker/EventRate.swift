import Synchronization

/// How many of something there may be in a second. A second's worth may come at once.
final class EventRate: Sendable {
    private struct State {
        var left: Double
        var seconds: Double
    }

    private let state: Mutex<State?> = Mutex(nil)

    /// Takes one; false where none is left.
    func take(perSecond: Int, at seconds: Double) -> Bool {
        let most = Double(perSecond)
        return state.withLock { state in
            var now = state ?? State(left: most, seconds: seconds)
            now.left = min(most, now.left + max(0, seconds - now.seconds) * most)
            now.seconds = max(seconds, now.seconds)
            let isLeft = now.left >= 1
            if isLeft { now.left -= 1 }
            state = now
            return isLeft
        }
    }
}
