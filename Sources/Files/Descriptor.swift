import CLinux
import Glibc

/// An open file descriptor that is closed exactly once.
package struct Descriptor: ~Copyable {
    package let raw: Int32

    /// Takes over a descriptor that somebody just opened.
    package init(owning raw: Int32) {
        precondition(raw >= 0, "a descriptor is not negative")
        self.raw = raw
    }

    deinit { _ = close(raw) }

    /// A flag for opening: reading leaves no stamp, which would be a change of the file. Refused with EPERM for a file
    /// of somebody else's.
    package static var readingLeavesNoStamp: Int32 { BAILEY_O_NOATIME }

    /// Gives the descriptor away: the caller closes it.
    package consuming func release() -> Int32 {
        let number = raw
        discard self
        return number
    }

    package func duplicate() throws(SystemError) -> Descriptor {
        Descriptor(owning: try SystemError.check("dup", fcntl(raw, F_DUPFD_CLOEXEC, 3)))
    }
}
