import Broker
import BrokerLink
import Domain
import Foundation
import Testing

@Suite("what requests may hold in memory has an end")
struct RequestLimitTests {
    @Test("who asks on and takes no answers is not read on")
    func unreadAnswers() throws {
        let count = 8000
        let yard = try ForwardingYard(allow: ["GET http://example.com/"])
        let port = try yard.door("example.com:80")
        let client = try RawClient(port: port, receiveBytes: 4096)
        let request = "DELETE /x HTTP/1.1\r\nHost: example.com\r\n\r\n"
        let last = "GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n"
        let all = String(repeating: request, count: count) + last
        try withThread({ client in client.send(all) }, client) { client in
            // It stands still when the kernel's buffers are full, and not before.
            var before = -1
            while yard.ledger.records.count != before {
                before = yard.ledger.records.count
                usleep(500_000)
            }
            #expect(before > 0 && before < count)
            let answers = client.read()
            #expect(answers.components(separatedBy: "HTTP/1.1 403").count == count + 1)
            #expect(answers.components(separatedBy: "HTTP/1.1 502").count == 2)
        }
    }

    /// Does one thing on a thread of its own beside another.
    private func withThread(
        _ aside: @escaping @Sendable (borrowing RawClient) -> Void,
        _ client: borrowing RawClient,
        _ body: (borrowing RawClient) throws -> Void
    ) throws {
        let copy = try client.again()
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            aside(RawClient(owning: copy))
            done.signal()
        }
        try body(client)
        done.wait()
    }

    @Test("only so many requests wait for their answers at once")
    func requests() throws {
        var limits = BrokerLimits()
        limits.requests = 1
        let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        let server = try ScriptedServer { $0.contains("/slow") ? nil : ok }
        let yard = try ForwardingYard(allow: ["example.com:80"], limits: limits)
        try yard.lead("example.com:80", to: server.port)
        let port = try yard.door("example.com:80")
        do {
            let slow = try RawClient(port: port)
            slow.send("GET /slow HTTP/1.1\r\nHost: example.com\r\n\r\n")
            while !server.received.contains("/slow") { usleep(5000) }
            let other = try RawClient(port: port)
            other.send("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
            let answer = other.read(until: "limit-requests\n")
            #expect(answer.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"), "\(answer)")
            slow.breakOff()
        }
        let record = try #require(yard.ledger.records(2).first)
        #expect(record.rule.rawValue == "limit-requests" && record.verdict == .deny)
        // The place is free again once the slow one's connection is gone.
        var last = ""
        for _ in 0..<500 where !last.hasPrefix("HTTP/1.1 200 OK\r\n") {
            let third = try RawClient(port: port)
            third.send("GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n")
            last = third.read()
        }
        #expect(last.hasPrefix("HTTP/1.1 200 OK\r\n"))
    }
}
