import Broker
import BrokerLink
import Domain
import Egress

extension FuzzTarget {
    /// ClientHellos: one is read from no less than all of its bytes, its name is plain, and only its own name passes.
    static let clientHello = FuzzTarget("client-hello", bytesMax: 1 << 15) {
        [hello("api.example.com"), hello("a.b"), Array("GET / HTTP/1.1\r\n".utf8), [0x16, 3, 1, 0, 4, 1, 0, 0, 0]]
    } prepare: {
        let name = try HostName("api.example.com")
        return { bytes in
            var gate = ServerNameGate(name: name, requiresTLS: true)
            let step = gate.judge(bytes[...])
            guard let reading = try refusable({ () throws(EgressRefusal) in try ClientHello.read(bytes[...]) }) else {
                if case .refuse = step { return }
                throw FuzzFinding("the gate lets through what the reader refuses")
            }
            switch reading {
            case .incomplete:
                try promise(bytes.count < ClientHello.streamBytesMax, "it waits without end")
                try promise(step == .hold, "the gate does not wait")
            case .notTLS:
                if case .refuse = step { return }
                throw FuzzFinding("what is no TLS passes")
            case .hello(let hello):
                try promise((1...bytes.count).contains(hello.streamBytes), "more is taken than there is")
                let short = bytes.prefix(hello.streamBytes - 1)
                let again = try refusable { () throws(EgressRefusal) in try ClientHello.read(short) }
                try promise(again == .incomplete, "a part of it is taken for it, or refused")
                try promise(hello.applicationProtocols.allSatisfy(isOneLine), "a protocol steers a terminal")
                let isSame = hello.serverName == name && !hello.hasEncryptedHello
                try promise((step == .pass(hello.streamBytes)) == isSame, "another name passes, or its own does not")
            }
        }
    }

    /// What a client says to the proxy: a target that is read has one spelling, and a part of a head is never one.
    static let proxyHead = FuzzTarget("proxy-head", bytesMax: 1 << 14) {
        [
            "CONNECT a.com:443 HTTP/1.1\r\nHost: a.com:443\r\n\r\n",
            "GET http://a.com/x HTTP/1.1\r\nHost: a.com\r\n\r\n",
            "POST http://a.com/ HTTP/1.1\r\nHost: a.com\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "CONNECT a.com:443 HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n\r\n",
        ].map { Array($0.utf8) }
    } prepare: {
        { bytes in try greet(ProxyGreeting(), bytes) }
    }

    /// What a client says to SOCKS.
    static let socks = FuzzTarget("socks", bytesMax: 1 << 10) {
        let name: [UInt8] = [5, 1, 0, 3, 5] + Array("a.com".utf8) + [1, 187]
        return [
            [5, 1, 0] + name, [5, 2, 0, 2, 5, 1, 0, 1, 1, 1, 1, 1, 0, 80], [4, 1, 0, 80, 1, 1, 1, 1, 0], [5, 1, 2],
        ]
    } prepare: {
        { bytes in try greet(SOCKSGreeting(), bytes) }
    }

    /// Reads a greeting whole, and byte by byte: both come to the same, and never to more than there is.
    private static func greet(_ fresh: some Greeting, _ bytes: [UInt8]) throws {
        let limits = BrokerLimits()
        var (whole, rest) = (fresh, bytes[...])
        let heard = try finish(&whole, &rest, limits)
        var (slow, taken) = (fresh, bytes.prefix(0))
        for byte in bytes.prefix(512) {
            taken.append(byte)
            let partly = try finish(&slow, &taken, limits)
            guard partly == .more else {
                try promise(bytes.count > 512 || partly == heard, "it reads differently in parts")
                break
            }
        }
        guard case .tunnel(let target) = heard else { return }
        let again = try refusable { () throws(EgressRefusal) in try ConnectTarget(Array(target.description.utf8)) }
        try promise(again == target, "a target reads differently the second time")
    }

    /// Nil for what is refused.
    private static func finish(
        _ greeting: inout some Greeting,
        _ bytes: inout ArraySlice<UInt8>,
        _ limits: BrokerLimits
    ) throws -> Heard? {
        do throws(EgressRefusal) {
            while true {
                let heard = try greeting.read(&bytes, limits)
                guard case .reply = heard else { return heard }
            }
        } catch {
            let answer = greeting.denied(error, isMalformed: true, first: nil) ?? []
            try promise(answer.count < 8192, "an answer without end")
            try promise(isOneLine(error.reason), "an error steers a terminal")
            return nil
        }
    }

    private static func refusable<Value>(_ read: () throws(EgressRefusal) -> Value) throws -> Value? {
        do throws(EgressRefusal) { return try read() } catch {
            try promise(isOneLine(error.reason + (error.remedy ?? "")), "an error steers a terminal")
            return nil
        }
    }

    private static func hello(_ name: String) -> [UInt8] {
        let list = [0] + sized(Array(name.utf8))
        let extensions = sized([0, 0] + sized(sized(list)) + [0, 16] + sized(sized([2] + Array("h2".utf8))))
        let body = [3, 3] + [UInt8](repeating: 7, count: 32) + [0] + sized([0x13, 1]) + [1, 0] + extensions
        return [0x16, 3, 1] + sized([1, 0] + sized(body))
    }

    private static func sized(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes
    }
}
