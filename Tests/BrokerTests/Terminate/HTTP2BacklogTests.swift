import Broker
import Foundation
import TestSupport
import Testing

@Suite(
    "clients that take nothing cost little memory, however many they are",
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/node"))
)
struct HTTP2BacklogTests {
    private static let clients = 160
    /// What comes of a connection in one go, before anybody asks how much waits.
    private static let onceBytes = 256 << 10

    @Test func allConnectionsTogetherAreBounded() throws {
        let yard = try HTTP2Yard()
        let most = HTTP2Backlog.bytesMax + Self.clients * (HTTP2Backlog.freeBytes + Self.onceBytes)
        // Each of them alone could have a window's worth.
        #expect(most < Self.clients << 20)
        let backlog = yard.tools.yard.forwarder.backlog
        let result = try yard.node(
            """
            const others = [];
            for (let i = 0; i < \(Self.clients); i++) {
                const other = connect(); other.on('error', () => {}); others.push(other);
                const slow = ask('/endless', {}, other); slow.on('response', () => {}); slow.on('error', () => {});
                slow.pause(); }
            setTimeout(async () => {
                console.log(await body(ask('/beside')));
                for (const other of others.slice(1)) other.destroy();
                // What was held up goes on once there is room.
                let more = 0;
                const last = ask('/endless', {}, others[0]);
                last.on('data', (d) => {
                    more += d.length; if (more > (8 << 20)) { console.log('more'); process.exit(); } });
            }, 4000);
            """,
            meanwhile: { #expect(backlog.count <= most, "\(backlog.count) bytes wait, of \(most)") }
        )
        #expect(result.stdout == "GET /beside api.example.com 0\n\nmore\n", "\(result.summary)")
        for _ in 0..<500 where backlog.count > 0 { usleep(10_000) }
        #expect(backlog.count == 0)
    }
}
