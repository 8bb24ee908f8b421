/// One reader of bytes that somebody else wrote, and what it promises whatever the bytes are.
///
/// Three drivers use the same targets: libFuzzer (`script/full/fuzz`), the short mutational one in the ordinary tests,
/// and the regression test that feeds every input that once broke a promise.
package struct FuzzTarget: Sendable {
    /// Takes one input; throws where a promise is broken. What the reader itself refuses is no failure.
    package typealias Check = ([UInt8]) throws -> Void

    /// Also the name of its directory below `Tests/Fixtures/fuzz`.
    package let name: String
    /// Longer inputs are not tried by the drivers.
    package let bytesMax: Int
    /// Inputs to start from: valid ones, made by the product's own writers where it has any.
    package let seeds: @Sendable () throws -> [[UInt8]]
    /// Makes the check with whatever it needs for all inputs, such as a directory; that goes when the check goes.
    package let prepare: @Sendable () throws -> Check

    init(
        _ name: String,
        bytesMax: Int = 1 << 16,
        seeds: @escaping @Sendable () throws -> [[UInt8]],
        prepare: @escaping @Sendable () throws -> Check
    ) {
        self.name = name
        self.bytesMax = bytesMax
        self.seeds = seeds
        self.prepare = prepare
    }

    /// Every target.
    package static let all: [FuzzTarget] = [
        .plan, .status, .json, .journalLine, .journalRecovery, .checkpoint, .configuration, .gitIndex, .gitObject,
        .gitText, .redaction, .environment, .storedWorkspace, .changeGate, .diff, .text,
        .notification, .processes, .terminal, .host, .url, .dnsQuestion, .dnsAnswer, .brokerOrder, .brokerReport,
        .brokerSettings, .clientHello, .proxyHead, .socks, .http1Request, .http1Response, .http2Answer,
        .modelRequest, .modelAnswer,
        .credentialScan, .loginFile,
    ]

    package static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}

extension FuzzTarget: CustomStringConvertible {
    package var description: String { name }
}
