import Domain
import Egress

extension FuzzTarget {
    /// Hosts, addresses and `HOST:PORT`: what is read is plain, is spelled one way, and reads the same again.
    static let host = FuzzTarget("host", bytesMax: 2048) {
        [
            "api.example.com", "xn--mnchen-3ya.de:443", "[2606:4700::1111]:443", "0x7f.1", "::ffff:10.0.0.1", "a.b.:1",
            "127.0.0.1", "%31.0.0.1", "64:ff9b::1.2.3.4", "2001:db8:122:344::/96", "*.a.com:80",
            "GET,HEAD https://a.com/x/",
        ].map { Array($0.utf8) }
    } prepare: {
        { bytes in
            if let host = try egress({ () throws(EgressRefusal) in try Host(bytes) }) {
                try expectPlain(host, from: bytes)
            }
            if let target = try egress({ () throws(EgressRefusal) in try ConnectTarget(bytes) }) {
                let again = try egress { () throws(EgressRefusal) in try ConnectTarget(Array(target.description.utf8)) }
                try promise(again == target, "a target reads differently the second time")
            }
            if let address = IPAddress(bytes) {
                try promise(IPAddress(address.description) == address, "an address reads differently the second time")
            }
            let text = String(decoding: bytes, as: UTF8.self)
            if let block = AddressBlock(text) { try promise(block.contains(block.first), "a block without its first") }
            guard let rule = try egress({ () throws(EgressRefusal) in try NetworkRule(text) }) else { return }
            let policy = NetworkPolicy(allow: [rule])
            for bad in ["127.0.0.1", "169.254.169.254", "[::1]", "localhost", "metadata.google.internal"] {
                let decision = policy.decide(connect: Array("\(bad):\(rule.port)".utf8))
                try promise(decision.verdict == .deny, "an entry opened \(bad)")
            }
        }
    }

    /// URLs: what is read has one host and port, and no user information, space or backslash.
    static let url = FuzzTarget("url", bytesMax: 1 << 14) {
        [
            "http://example.com/", "https://a.example.com:8443/a%2Fb?x=http://127.0.0.1/#f", "http://[::1]:80/",
            "http://u:p@a.com/", "http://127.0.0.1\\@a.com/", "http:/a.com", "HTTP://A.com.?x",
        ].map { Array($0.utf8) }
    } prepare: {
        let policy = NetworkPolicy.everythingPublic
        return { bytes in
            let decision = policy.decide(url: bytes)
            try promise(isOneLine(decision.reason) && isOneLine(decision.remedy ?? ""), "a reason steers a terminal")
            try promise(decision.reason.utf8.count < 4096, "a reason without end")
            guard let address = try egress({ () throws(EgressRefusal) in try WebAddress(bytes) }) else { return }
            try promise(bytes.allSatisfy { (0x21...0x7E).contains($0) }, "a URL holds what is not plain")
            let again = "\(address.scheme.rawValue)://\(address.target)\(address.path)"
            let second = try egress { () throws(EgressRefusal) in try WebAddress(Array(again.utf8)) }
            try promise(second == address, "a URL reads differently the second time")
            if case .address(let literal) = address.target.host, policy.addresses.refusal(of: literal) != nil {
                try promise(decision.verdict == .deny, "a forbidden address is allowed")
            }
        }
    }

    private static func expectPlain(_ host: Host, from bytes: [UInt8]) throws {
        let text = host.description
        try promise(text.utf8.allSatisfy { (0x21...0x7E).contains($0) }, "a host holds what is not plain")
        let again = try egress { () throws(EgressRefusal) in try Host(Array(text.utf8)) }
        try promise(again == host, "a host reads differently the second time")
        let browser = try egress { () throws(EgressRefusal) in try WHATWGHost(bytes) }
        let same = browser.map { "\($0)" == text || "\($0)" == text + "." } ?? false
        try promise(same, "a browser reads another host")
    }

    /// What a reader makes of its input; nil where it refuses it, in words that are one short line.
    private static func egress<Value>(_ read: () throws(EgressRefusal) -> Value) throws -> Value? {
        do throws(EgressRefusal) {
            return try read()
        } catch {
            let words = error.reason + (error.remedy ?? "")
            try promise(isOneLine(words) && words.utf8.count < 4096, "an error steers a terminal or has no end")
            return nil
        }
    }
}
