import Foundation
import TestSupport
import Testing

@Suite("a live run's socket for requests goes with the run")
struct ControlSocketTests {
    /// Starts a run with a network, and waits until it takes requests.
    private static let begin = """
        "$BAILEY" run --allow-host api.example.com -- sleep 100 2>/dev/null & run=$!
        sockets() { ls "$XDG_STATE_HOME/bailey/control" 2>/dev/null | wc -l; }
        for i in $(seq 1000); do
            "$BAILEY" egress allow last one.example.com >/dev/null 2>&1 && break
            sleep 0.05
        done

        """

    @Test("at its end, by a signal too", arguments: TestIdentity.available)
    func ended(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        let result = try yard.outside(Self.begin + "sockets; kill -TERM $run; wait $run; sockets")
        #expect(result.stdout == "1\n0\n", "\(result.summary)")
    }

    @Test("after kill -9 with the next run of the project")
    func recovered() throws {
        let yard = try Yard()
        let result = try yard.outside(
            Self.begin + """
                kill -9 $run; wait $run 2>/dev/null; sockets
                "$BAILEY" egress allow last two.example.com 2>&1 | grep -c 'it has ended'
                for i in $(seq 300); do "$BAILEY" run -- true; [ "$(sockets)" = 0 ] && break; sleep 0.1; done; sockets
                """
        )
        #expect(result.stdout == "1\n1\n0\n", "\(result.summary)")
    }

    @Test("after kill -9 when the state is tidied from another project, and one that is served stays")
    func tidied() throws {
        let yard = try Yard()
        let result = try yard.outside(
            Self.begin + """
                kill -9 $run; wait $run 2>/dev/null; first=$run
                mkdir ../second && cd ../second
                "$BAILEY" run --allow-host api.example.com -- sleep 100 2>/dev/null & run=$!
                for i in $(seq 1000); do
                    "$BAILEY" egress allow last one.example.com >/dev/null 2>&1 && break
                    sleep 0.05
                done
                sockets
                mkdir ../third && cd ../third && rm "$XDG_STATE_HOME/bailey/tidied" && "$BAILEY" run -- true
                sockets
                cd ../second && "$BAILEY" egress revoke last one.example.com
                kill -TERM $run; wait $run; sockets
                """
        )
        #expect(result.stdout == "2\n1\nrevoked  one.example.com\n0\n", "\(result.summary)")
    }
}
