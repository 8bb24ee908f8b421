import Glibc

/// State behind a lock on whose changes threads can wait.
///
/// Unchecked, because the compiler cannot see what the mutex orders: `state` is touched only between lock and unlock.
final class Monitor<State>: @unchecked Sendable {
    private var state: State
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init(_ state: sending State) {
        self.state = state
        mutex.initialize(to: pthread_mutex_t())
        condition.initialize(to: pthread_cond_t())
        precondition(pthread_mutex_init(mutex, nil) == 0, "a mutex with default attributes can be made")
        precondition(pthread_cond_init(condition, nil) == 0, "a condition with default attributes can be made")
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` alone, once `isReady` holds, then wakes everybody who waits.
    func withLock<Result>(
        when isReady: (State) -> Bool = { _ in true },
        _ body: (inout State) -> Result
    ) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !isReady(state) { pthread_cond_wait(condition, mutex) }
        defer { pthread_cond_broadcast(condition) }
        return body(&state)
    }
}
