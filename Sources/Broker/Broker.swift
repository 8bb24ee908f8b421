import Glibc

/// The broker's process: it holds the sockets of one sandbox's network and every connection that leaves it.
package enum Broker {
    /// Serves until the supervisor says that the run is over, or is gone.
    package static func main() -> Never {
        let text = "bailey-broker: it is started by bailey, for a run that may use the network\n"
        _ = text.withCString { write(STDERR_FILENO, $0, strlen($0)) }
        exit(2)
    }
}
