import Broker
import BrokerLink
import Domain
import Egress
import Foundation
import TestSupport
import Testing

/// What a service may do with a key that speaks HTTP/2 frame by frame and wants it to come in.
@Suite("a key does not come back in whatever frames, codings and places of an answer")
struct HostileReflectionTests {
    enum End { case good, refused, cut }

    /// A scenario of the service, and what the client gets.
    struct Case: CustomStringConvertible {
        let name: String
        let end: End
        var rule: String?

        var description: String { name }

        static func good(_ names: String...) -> [Case] { names.map { Case(name: $0, end: .good) } }
        static func refused(_ rule: String, _ names: String...) -> [Case] {
            names.map { Case(name: $0, end: .refused, rule: rule) }
        }
        static func cut(_ names: String...) -> [Case] { names.map { Case(name: $0, end: .cut) } }
    }

    private static let cases: [Case] =
        Case.good("padding", "goaway", "pinged", "unknown", "gzname", "slow", "after")
        + Case.refused(
            "credential-reflected",
            "hint",
            "hints",
            "field",
            "name",
            "continued",
            "indexed",
            "location",
            "cookie",
            "joined"
        )
        + Case.refused("upstream", "pseudo", "pseudotwice", "status", "push", "reset")
        + Case.refused("credential-encoding", "br", "zstd", "stacked", "unheard", "listed", "compress")
        + Case.cut(
            "ones",
            "spaced",
            "padded",
            "trailer",
            "trailername",
            "wide",
            "widebig",
            "gzipones",
            "deflateones",
            "members",
            "wronggzip",
            "wrongdeflate",
            "unfinished",
            "named"
        )

    private static let scenarios = #"""
        import base64, gzip, zlib
        key = open('key.txt').read()
        k = key.encode()
        said = b'before ' + k + b' after'
        OPEN, ENDED = lambda s: head(s, OK), lambda s: data(s, b'')
        def whole(s, *fields): return head(s, OK, *fields) + data(s, b'good\n')
        def ones(s, body, between=b''):
            return b''.join(data(s, body[n:n + 1], False) + between for n in range(len(body)))
        def slow(s, body, between=b''): return OPEN(s) + ones(s, body, between) + ENDED(s)
        def coded(s, coding, body): return head(s, OK, ('content-encoding', coding)) + ones(s, body) + ENDED(s)
        def padded(s, body, padding): return frame(0, 8, s, bytes([len(padding)]) + body + padding)
        def continued(s):
            b = block(OK, ('x', key))
            return frame(1, 0, s, b[:9]) + frame(9, 0, s, b[9:20]) + frame(9, 4, s, b[20:]) + data(s, b'x')
        def kept(s):
            # Into the table by an answer that nobody may get, and out of it by its number.
            if s == 1: return frame(1, 4, s, block(OK, ('connection', 'x')) + b'\x40' + text('x') + text(key))
            return frame(1, 4, s, block(OK) + b'\xbe') + data(s, b'x')
        def named(b): return b[:3] + b'\x08' + b[4:10] + k + b'\x00' + b[10:]
        def unfinished():
            z = zlib.compressobj(); return z.compress(b'good ') + z.flush(zlib.Z_SYNC_FLUSH)
        def members(s):
            many = gzip.compress(b'') * 20000 + gzip.compress(said)
            parts = [data(s, many[n:n + 16000], False) for n in range(0, len(many), 16000)]
            return head(s, OK, ('content-encoding', 'gzip')) + b''.join(parts) + ENDED(s)
        def told(status, name, value): return lambda s: head(s, (':status', status), (name, value)) + ENDED(s)
        idle = b'\0\0\0\x77\0\0\0\0\0'
        answers = {
            'padding': lambda s: OPEN(s) + padded(s, b'', k) + data(s, b'good\n'),
            'goaway': lambda s: whole(s) + frame(7, 0, 0, struct.pack('>II', s, 0) + k),
            'pinged': lambda s: frame(6, 0, 0, k[:8]) + frame(6, 0, 0, k[8:16]) + whole(s),
            'unknown': lambda s: frame(0x78, 0, s, k) + frame(0x77, 0, 0, k) + whole(s),
            'gzname': lambda s: coded(s, 'gzip', named(gzip.compress(b'good\n'))),
            'slow': lambda s: slow(s, b'good\n'),
            'hint': lambda s: head(s, (':status', '103'), ('link', '</%s>' % key)) + whole(s),
            'hints': lambda s: head(s, (':status', '103')) * 9 + head(s, (':status', '199'), ('x', key)) + whole(s),
            'field': lambda s: whole(s, ('x', 'a' + key + 'b')),
            'name': lambda s: whole(s, (key, 'a')),
            'continued': continued, 'indexed': kept,
            'location': told('302', 'location', 'https://a.example/?' + k.hex()),
            'cookie': told('200', 'set-cookie', 'a=' + base64.b64encode(b'ab' + k).decode()),
            'joined': told('200', 'content-encoding', 'identity, ' + key),
            'pseudo': lambda s: whole(s, ('x', 'y'), (':' + key, 'z')),
            'pseudotwice': lambda s: head(s, (':' + key, 'z'), (':' + key, 'z'), OK) + data(s, b'x'),
            'status': lambda s: head(s, (':status', key)) + data(s, b'x'),
            'push': lambda s: frame(5, 4, s, struct.pack('>I', 2) + block((':method', 'GET'), (':path', '/' + key),
                (':scheme', 'https'), (':authority', 'a.example'))) + whole(s),
            'reset': lambda s: frame(3, 0, s, k[:4]),
            'br': lambda s: coded(s, 'br', k), 'zstd': lambda s: coded(s, 'zstd', k),
            'stacked': lambda s: coded(s, 'deflate, gzip', gzip.compress(zlib.compress(said))),
            'listed': lambda s: head(s, OK, *[('content-encoding', 'gzip')] * 2) + data(s, k),
            'unheard': lambda s: coded(s, 'aws-chunked', said), 'compress': lambda s: coded(s, 'compress', said),
            'ones': lambda s: slow(s, said), 'spaced': lambda s: slow(s, said, data(s, b'', False) + idle),
            'padded': lambda s: OPEN(s) + b''.join(padded(s, bytes([b]), b'z' * 255) for b in said) + ENDED(s),
            'trailer': lambda s: OPEN(s) + data(s, b'x', False) + head(s, ('x', key), end=True),
            'trailername': lambda s: OPEN(s) + data(s, b'x', False) + head(s, ('x-' + key, 'a'), end=True),
            'wide': lambda s: slow(s, said.decode().encode('utf-16-le')),
            'widebig': lambda s: OPEN(s) + data(s, key.encode('utf-16-be')),
            'gzipones': lambda s: coded(s, 'gzip', gzip.compress(said)),
            'deflateones': lambda s: coded(s, 'deflate', zlib.compress(said)),
            'members': members,
            'wronggzip': lambda s: coded(s, 'gzip', said), 'wrongdeflate': lambda s: coded(s, 'deflate', said),
            'unfinished': lambda s: coded(s, 'deflate', unfinished()),
            'named': lambda s: coded(s, 'x-gzip', named(gzip.compress(said))),
            'after': lambda s: head(s, OK, ('content-length', '5')) + data(s, b'good\n', False) + data(s, k),
        }
        scenarios = {name: lambda c, s, make=make: make(s) for name, make in answers.items()}
        """#

    @Test func nothingOfItComesIn() throws {
        // In lower case, as names of fields are in HTTP/2.
        let key = CredentialYard.randomKey().lowercased()
        let names = Self.cases.map { "\($0.name).example.com" }
        var random = SystemRandomNumberGenerator()
        let slot = try HeaderSlot(field: "x-api-key")
        let secret = HeldSecret(
            name: "KEY",
            placeholder: Placeholder(prefix: "", length: 40, random: &random),
            bindings: try names.map { try SecretBinding(host: $0, slot: slot) }
        )
        let store = SecretStore()
        Array(key.utf8).withUnsafeBytes { store.put($0, for: secret) }
        let parts = [
            "open('key.txt', 'w').write('\(key)')", HostileFrames.prelude, Self.scenarios, HostileFrames.serving,
        ]
        let script = parts.joined(separator: "\n")
        let tools = try ToolYard(names, allow: names, script: script, secrets: [secret], values: store)
        let pieces = Set((0...key.count - 8).map { String(key.dropFirst($0).prefix(8)) })
        for row in Self.cases {
            let host = "\(row.name).example.com"
            let port = try tools.yard.door("\(host):443", isTLS: true)
            for version in ["--http1.1", "--http2"] {
                // Twice over one connection; the second answer counts where the first prepares it.
                let arguments = [version, "-i", "https://\(host)/first"]
                let result = try tools.curl(port, "https://\(host)/", arguments)
                let all = (result.stdout + result.stderr).replacing("\0", with: "")
                #expect(!pieces.contains { all.contains($0) }, "\(row) \(version): \(all.prefix(600))")
                switch row.end {
                case .good: #expect(all.contains("good"), "\(row) \(version): \(result.summary)")
                case .refused where version == "--http2" && row.name == "reset": #expect(result.status == 92)
                case .refused:
                    let says = all.lowercased().contains("bailey-rule: \(row.rule ?? "")")
                    #expect(says, "\(row) \(version): \(result.summary)")
                case .cut: #expect([18, 56, 92].contains(result.status), "\(row) \(version): \(result.summary)")
                }
            }
        }
        let told = tools.yard.ledger.records.map { "\($0.reason) \($0.ending ?? "")" }.joined()
        #expect(!pieces.contains { told.contains($0) }, "\(told)")
    }
}
