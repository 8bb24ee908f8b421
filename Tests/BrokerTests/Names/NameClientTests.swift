import Broker
import BrokerLink
import Foundation
import Glibc
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

/// A sandbox's network as the launcher makes it, with the resolver in it and nobody else.
final class NamesYard: Sendable {
    let space: NetworkNamespace
    let fixture: NamesFixture
    private let channels: [any Channel]

    init(_ allow: [String], limits: BrokerLimits = BrokerLimits()) async throws {
        space = try NetworkNamespace()
        try space.ip(
            "link set lo up",
            "route add local \(SandboxNetwork.v4Text) dev lo",
            "-6 route add local \(SandboxNetwork.v6Text) dev lo"
        )
        let fixture = try NamesFixture(allow, limits: limits)
        let responder = fixture.responder()
        let broker = SandboxNetwork.brokerText
        let datagrams = try space.socket(Int32(SOCK_DGRAM.rawValue), broker, SandboxNetwork.namesPort)
        let streams = try space.socket(Int32(SOCK_STREAM.rawValue), broker, SandboxNetwork.namesPort)
        self.fixture = fixture
        channels = [
            try await NamesDoor.serveDatagrams(datagrams, responder, on: fixture.loop).get(),
            try await NamesDoor.serveStreams(streams, responder, limits: limits, on: fixture.loop).get(),
        ]
    }

    /// What a program says, and how long it took.
    func run(_ words: [String], options: String = "") async throws -> (result: ProcessResult, seconds: Double) {
        let began = ContinuousClock.now
        let resolver = "nameserver \(SandboxNetwork.brokerText)\n\(options)"
        let result = try await TestThread.value { [space] in try space.run(words, resolver: resolver) }
        let took = (ContinuousClock.now - began).components
        return (result, Double(took.seconds) + Double(took.attoseconds) / 1e18)
    }

    func close() async throws { for channel in channels { try await channel.close() } }
}

@Suite("real programs look names up", .enabled(if: NetworkNamespace.isPossible))
struct NameClientTests {
    /// Programs that look up the name that is their last word.
    static let programs: [(name: String, words: [String])] = [
        ("the C library", ["getent", "ahosts"]),
        ("Python", ["python3", "-c", "import socket,sys; print(socket.getaddrinfo(sys.argv[1], 443)[0][4][0])"]),
        (
            "Node",
            [
                "node", "-e",
                "require('dns').lookup(process.argv[1],(e,a)=>{console.log(e?e.code:a);process.exit(e?1:0)})",
            ]
        ),
        (
            "c-ares",
            [
                "node", "-e",
                "require('dns').resolve4(process.argv[1],(e,a)=>{console.log(e?e.code:a[0]);process.exit(e?1:0)})",
            ]
        ),
    ]

    @Test(
        "a listed name is found and an unlisted one is refused at once, also with search domains",
        arguments: programs.indices
    )
    func clients(_ index: Int) async throws {
        let client = Self.programs[index]
        guard
            ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":").contains(where: {
                access("\($0)/\(client.words[0])", X_OK) == 0
            }) == true
        else { return }
        let yard = try await NamesYard(["api.example.com", "*.files.example.com"])
        for options in ["", "search corp.example.net example.com"] {
            let found = try await yard.run(client.words + ["api.example.com"], options: options)
            #expect(found.result.status == 0, "\(client.name): \(found.result.summary)")
            let address = found.result.stdout
            #expect(address.contains("198.18.1.1") || address.contains("fd62:6169:6c65:7900::c612:101"), "\(address)")
            // A client that does not take the refusal for final waits 5 seconds at least; a busy machine is slow once.
            var seconds = Double.infinity
            for _ in 0..<3 where seconds > 4 {
                let refused = try await yard.run(client.words + ["evil.example.org"], options: options)
                #expect(refused.result.status != 0, "\(client.name): \(refused.result.summary)")
                seconds = refused.seconds
            }
            #expect(seconds < 4, "\(client.name): \(seconds) s")
        }
        let short = try await yard.run(client.words + ["a"], options: "search files.example.com")
        if client.name != "c-ares" { #expect(short.result.status == 0, "\(client.name): \(short.result.summary)") }
        #expect(yard.fixture.ledger.records.contains { $0.host == "evil.example.org" })
        try await yard.close()
    }
}
