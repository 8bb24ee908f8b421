import Foundation
import TestSupport
import Testing

/// One after the other: a program that lives long keeps the other's copy of the executables busy.
@Suite("What one sandbox hands to another does not reach the project", .serialized)
struct HandoverTests {
    /// Takes a descriptor from another sandbox of the project, over a socket in the cache that both have, and writes
    /// through it as long as it lives.
    private static let taker = """
        import os, socket, time
        place = os.path.expanduser("~/.cache/meet")
        door = socket.socket(socket.AF_UNIX)
        door.bind(place)
        os.chmod(place, 0o777)
        door.listen(1)
        guest = door.accept()[0]
        files = socket.recv_fds(guest, 1, 1)[1]
        while True:
            os.pwrite(files[0], b"other", 0)
            os.fchmod(files[0], 0o777)
            time.sleep(0.01)
            if guest: guest.send(b"x")
            guest = None
        """

    private static let giver = """
        import os, socket
        guest = socket.socket(socket.AF_UNIX)
        guest.connect(os.path.expanduser("~/.cache/meet"))
        with open("b.txt", "w") as file: file.write("shown")
        socket.send_fds(guest, [b"x"], [os.open("b.txt", os.O_RDWR)])
        guest.recv(1)
        """

    @Test(arguments: TestIdentity.available) func doesNotChangeWhatWasApplied(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        try yard.write(Self.taker, to: "project/taker.py")
        try yard.write(Self.giver, to: "project/giver.py")
        let taker = try Background(yard, ["run", "--apply", "never", "--", "python3", "taker.py"])
        defer { taker.send(SIGKILL) }
        let cache = yard.state + "/bailey/homes"
        let isOpen = try Eventually.holds { try !yard.outside("find '\(cache)' -name meet").stdout.isEmpty }
        #expect(isOpen, "nobody listens")
        let giver = try yard.bailey(["run", "--apply", "auto", "--", "python3", "giver.py"])
        // As root, each sandbox is another user, whom the socket does not let in.
        guard identity != .root else { return }
        #expect(giver.status == 0, "\(giver.summary)")
        #expect(try yard.read("project/b.txt") == "other", "it was written before the command ended")
        try yard.outside("echo mine >b.txt; chmod 600 b.txt")
        usleep(500_000)
        #expect(try yard.outside("cat b.txt; stat -c %a b.txt").stdout == "mine\n600\n")
    }
}
