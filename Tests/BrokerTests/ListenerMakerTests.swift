import Foundation
import TestSupport
import Testing

@Suite("a socket that comes later lies in the sandbox's network")
struct ListenerMakerTests {
    /// Makes a network as the launcher does, and asks for sockets in it from outside, as the broker does.
    private static let script = """
        import array, ctypes, os, socket, struct, subprocess, sys
        launcher, uid = sys.argv[1], os.getuid()
        inside, outside = (1000, 0x70000ABC) if uid == 0 else (uid, uid)
        ours, theirs = socket.socketpair()
        child = os.fork()
        if child == 0:
            libc = ctypes.CDLL(None, use_errno=True)
            assert libc.unshare(0x10000000 | 0x40000000) == 0
            theirs.send(b"m"); theirs.recv(1)
            interface = socket.socket()
            import fcntl
            fcntl.ioctl(interface, 0x8914, struct.pack("16sH14x", b"lo", 0x41))
            first = socket.socket(); first.bind(("127.0.0.1", 3128)); first.listen()
            socket.send_fds(theirs, [b"f"], [first.fileno()])
            theirs.recv(1)
            client = socket.create_connection(("127.0.0.9", 5432), 5)
            theirs.send(b"c"); theirs.recv(1)
            os._exit(0)
        theirs_gone = ours.recv(1)
        def put(name, text):
            with open(f"/proc/{child}/{name}", "w") as file: file.write(text)
        if uid != 0: put("setgroups", "deny")
        put("uid_map", f"{inside} {outside} 1"); put("gid_map", f"{inside} {outside} 1")
        ours.send(b"g")
        _, descriptors, _, _ = socket.recv_fds(ours, 1, 1)
        link, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        its_number, first = os.dup(its.fileno()), descriptors[0]
        def place():
            if uid == 0: os.setgroups([0, 4])
            os.dup2(its_number, 60); os.dup2(first, 61); os.dup2(60, 3); os.dup2(61, 4)
        maker = subprocess.Popen([launcher, "listen", str(inside), "4"], preexec_fn=place, close_fds=False)
        its.close(); os.close(its_number)
        def ask(address, port, role=5):
            link.send(struct.pack(">BH", role, port) + socket.inet_pton(
                socket.AF_INET6 if ":" in address else socket.AF_INET, address))
            answer, made, _, _ = socket.recv_fds(link, 1, 1)
            return answer[0], made
        code, made = ask("127.0.0.9", 5432)
        assert code == 0 and len(made) == 1, (code, made)
        ours.send(b"g")
        assert ours.recv(1) == b"c"
        listener = socket.socket(fileno=made[0]); listener.setblocking(True); listener.settimeout(5)
        assert listener.accept()[0].getsockname() == ("127.0.0.9", 5432)
        assert ask("127.0.0.9", 5432)[0] == 98 and ask("::1", 5432)[0] == 0
        connected = socket.socket(fileno=ask("127.0.0.9", 3128, 6)[1][0])
        connected.settimeout(5)
        while connected.connect_ex(("127.0.0.1", 3128)) not in (0, 106): pass
        assert connected.getpeername() == ("127.0.0.1", 3128), connected.getpeername()
        assert ask("127.0.0.1", 0, 6) == (22, []) and ask("127.0.0.9", 25)[0] == 0
        assert ask("127.0.0.1", 0) == (22, []) and ask("192.0.2.1", 5432)[0] == 99
        status = open(f"/proc/{maker.pid}/status").read()
        assert ask("127.0.0.9", 5433)[0] == 0 and ask("127.0.0.9", 5434) == (23, [])
        assert "CapEff:\\t0000000000000400" in status and "CapBnd:\\t0000000000000000" in status, status
        for line in "NoNewPrivs:\\t1", "Seccomp:\\t2": assert line in status, status
        groups = [line for line in status.splitlines() if line.startswith("Groups")][0].split()[1:]
        assert uid != 0 or groups == [], groups
        uids = [line for line in status.splitlines() if line.startswith("Uid")][0].split()[1:]
        assert uids == [str(outside)] * 4, uids
        link.close()
        assert maker.wait(10) == 0
        ours.send(b"e"); os.waitpid(child, 0)
        print("all held")
        """

    @Test(arguments: TestIdentity.available) func soItIs(_ identity: TestIdentity) throws {
        let place = try TemporaryDirectory("bailey-maker", in: "/var/tmp")
        _ = try BuiltProducts.install(in: place.path)
        try place.write(Self.script, to: "maker.py")
        _ = try ProcessRunner.run("/bin/chmod", arguments: ["-R", "a+rX", place.path])
        let result = try identity.run(
            "/usr/bin/python3",
            arguments: [place.path + "/maker.py", place.path + "/bailey-launcher"],
            environment: ["PATH": "/usr/bin:/bin"]
        )
        #expect(result.stdout == "all held\n", "\(result.summary)")
    }
}
