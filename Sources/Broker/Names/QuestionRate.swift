import Synchronization

/// How many questions a second are answered. A second's worth may come at once.
final class QuestionRate: Sendable {
    private struct State {
        var left: Double
        var seconds: Double
    }

    private let state: Mutex<State?> = Mutex(nil)

    /// Takes one; false where none is left.
    func take(perSecond: Int, at seconds: Double) -> Bool {
        let most = Double(max(perSecond, 1))
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
