import Foundation
import TestSupport
import Testing

/// Each client of DNS has habits of its own. All hear of a listed name at once, and at once that another is none.
@Suite("names behind the wall, as resolvers of several kinds ask for them")
struct NetworkNameTests {
    @Test("dig", .enabled(if: Self.has("dig"), "there is no dig"), arguments: TestIdentity.available)
    func dig(_ identity: TestIdentity) throws {
        let network = try NetworkYard(identity)
        let script = """
            for way in "" +tcp +noedns "+noedns +tcp" +dnssec; do
                dig $way +short api.example.test A
                dig $way +short api.example.test AAAA
                dig $way api.example.test TXT | grep -c 'status: NOERROR'
                dig $way api.example.test TXT | grep -o 'ANSWER: 0'
                dig $way secret.example.test A | grep -oE 'status: [A-Z]*'
            done
            dig +short -x "$(dig +short api.example.test A)"
            dig secret.example.test A | grep -o 'EDE: .*'
            """
        let result = try network.inside(script)
        let lines = result.stdout.split(separator: "\n").map(String.init)
        try #require(lines.count == 27, "\(result.summary)")
        for (index, refusal) in ["REFUSED", "REFUSED", "NXDOMAIN", "NXDOMAIN", "REFUSED"].enumerated() {
            let part = Array(lines[(5 * index)..<(5 * index + 5)])
            #expect(part[0].hasPrefix("198.1") && part[1].hasPrefix("fd62:6169:6c65:7900:"), "\(part)")
            #expect(part[2...] == ["1", "ANSWER: 0", "status: \(refusal)"], "\(part)")
        }
        #expect(lines[25] == "api.example.test.", "\(result.summary)")
        #expect(lines[26].contains("EDE: 15 (Blocked): (name-internal"), "\(result.summary)")
    }

    /// As resolvers without a library write them: the Go runtime's (both types at once, from two sockets, with EDNS),
    /// musl's (both types from one socket, without), and worse.
    private static let questions = #"""
        import socket, struct, time
        A, AAAA = 1, 28

        def question(number, name, kind, edns=False):
            labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
            more = b"\0" + struct.pack(">HHIH", 41, 1232, 0, 0) if edns else b""
            return struct.pack(">6H", number, 0x0100, 1, 0, 0, int(edns)) + labels + struct.pack(">2H", kind, 1) + more

        def told(answer):
            number, flags, _, answers = struct.unpack(">4H", answer[:8])
            return f"{number} code {flags & 15} answers {answers}"

        def datagrams(*questions):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.settimeout(20)
            s.connect(("198.18.0.1", 53))
            for text in questions: s.send(text)
            return sorted(told(s.recv(4096)) for _ in questions)

        def take(s, count):
            data = b""
            while len(data) < count:
                part = s.recv(count - len(data))
                if not part: raise OSError("the end")
                data += part
            return data

        def stream(*questions, step=1 << 16):
            s = socket.create_connection(("198.18.0.1", 53), 20)
            text = b"".join(struct.pack(">H", len(q)) + q for q in questions)
            for start in range(0, len(text), step): s.sendall(text[start:start + step])
            return sorted(told(take(s, struct.unpack(">H", take(s, 2))[0])) for _ in questions)

        good, bad = "api.example.test", "secret.example.test"
        began = time.monotonic()
        for edns in (False, True):
            print("edns" if edns else "plain", datagrams(question(1, good, A, edns), question(2, good, AAAA, edns)),
                  datagrams(question(3, bad, A, edns), question(4, bad, AAAA, edns)))
        print("six", datagrams(question(5, good, AAAA)), "case", datagrams(question(6, "aPI.exAMPle.TEST", A)))
        print("stream", stream(question(7, good, A), question(8, bad, A, True), step=1))
        print("search", datagrams(question(9, good + ".corp.example.net", A)), datagrams(question(10, "api", A)))
        print("quick" if time.monotonic() - began < 5 else "slow")
        """#

    @Test("questions without a library", arguments: TestIdentity.available)
    func questions(_ identity: TestIdentity) throws {
        let network = try NetworkYard(identity)
        try network.yard.write(Self.questions, to: "project/ask.py")
        let result = try network.yard.bailey(["run", "--", "/usr/bin/python3", "ask.py"])
        let expected = """
            plain ['1 code 0 answers 1', '2 code 0 answers 1'] ['3 code 3 answers 0', '4 code 3 answers 0']
            edns ['1 code 0 answers 1', '2 code 0 answers 1'] ['3 code 5 answers 0', '4 code 5 answers 0']
            six ['5 code 0 answers 1'] case ['6 code 0 answers 1']
            stream ['7 code 0 answers 1', '8 code 5 answers 0']
            search ['9 code 3 answers 0'] ['10 code 3 answers 0']
            quick

            """
        #expect(result.stdout == expected, "\(result.summary)")
    }

    @Test("the C library with search domains and many dots wanted", arguments: TestIdentity.available)
    func searching(_ identity: TestIdentity) throws {
        let network = try NetworkYard(identity)
        let script = """
            export LOCALDOMAIN="corp.example.net sub.example.net"
            for dots in 1 5 15; do
                RES_OPTIONS="ndots:$dots" getent ahostsv4 api.example.test | awk 'NR == 1 { print $1 }'
                RES_OPTIONS="ndots:$dots" getent ahosts secret.example.test; echo "status $?"
            done
            RES_OPTIONS="edns0 ndots:1" getent ahostsv6 api.example.test | awk 'NR == 1 { print $1 }'
            """
        let result = try network.inside(script)
        let lines = result.stdout.split(separator: "\n")
        try #require(lines.count == 7, "\(result.summary)")
        for index in 0..<3 {
            #expect(lines[2 * index].hasPrefix("198.1") && lines[2 * index + 1] == "status 2", "\(result.summary)")
        }
        #expect(lines[6].hasPrefix("fd62:6169:6c65:7900:"), "\(result.summary)")
    }

    @Test("a static program of musl's", .enabled(if: Self.has("musl-gcc"), "there is no musl-gcc"))
    func musl() throws {
        let network = try NetworkYard()
        try network.yard.write(
            #"""
            #include <netdb.h>
            #include <stdio.h>
            #include <string.h>
            #include <unistd.h>
            int main(int count, char **words) {
                struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
                int code = getaddrinfo(words[1], words[2], &hints, &found);
                if (code) return printf("%s\n", gai_strerror(code)), 1;
                int s = socket(found->ai_family, SOCK_STREAM, 0);
                if (connect(s, found->ai_addr, found->ai_addrlen)) return perror("connect"), 1;
                char text[16] = "from musl";
                if (write(s, text, 9) != 9 || read(s, text, 9) != 9) return perror("read"), 1;
                return puts(text), 0;
            }
            """#,
            to: "project/main.c"
        )
        let made = try network.yard.outside("musl-gcc -static -o main main.c")
        try #require(made.status == 0, "\(made.summary)")
        let result = try network.inside(
            "./main api.example.test 7777; timeout 4 ./main secret.example.test 7777; echo \"status $?\""
        )
        #expect(result.stdout == "from musl\nName does not resolve\nstatus 1\n", "\(result.summary)")
    }

    private static func has(_ program: String) -> Bool {
        (try? ProcessRunner.run("/bin/sh", arguments: ["-c", "command -v \(program)"]))?.status == 0
    }
}
