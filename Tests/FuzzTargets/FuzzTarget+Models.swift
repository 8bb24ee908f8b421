import Broker
import Domain
import Egress
import NIOCore

/// What passes between agents and models: requests that an agent wrote, answers that a service sends.
extension FuzzTarget {
    /// Bodies of requests: what is sent on says the same, and asks for usage where it must.
    static let modelRequest = FuzzTarget("model-request") {
        [
            #"{"model":"m","stream":true,"stream_options":{"include_usage":false},"messages":[{"content":"\u00e9"}]}"#,
            #"{"model":"m","max_tokens":5,"system":[{"cache_control":{"ttl":"1h"}}],"n":2,"service_tier":"auto"}"#,
            #"{"model":"m","stream":true,"tools":[{"a":[{},[],null,true,-1.5e3]}]}"#,
            #"{"model":"m","input":[{"type":"x","tools":[{"type":"shell","environment":{"type":"local"}}]}]}"#,
            #"{"model":"m","tools":[{"type":"mcp"}],"context_management":{"edits":[{"type":"x"}]},"max_tokens":null}"#,
        ].map { Array($0.utf8) }
    } prepare: {
        { bytes in
            let body = ByteBuffer(bytes: bytes)
            for dialect in ModelDialect.allCases {
                try checkStated(body, dialect)
                guard let request = try? ModelRequest(body, dialect) else { continue }
                let sent = request.sent(body)
                guard let again = try? ModelRequest(sent, dialect) else {
                    throw FuzzFinding("a body that is sent cannot be read")
                }
                try promise(again.model == request.model && again.isStream == request.isStream, "a body changes")
                try promise(again.outputTokensMax == request.outputTokensMax, "a limit changes")
                let asks = dialect == .chat && request.isStream
                try promise(!asks || again.asksForUsage, "usage is not asked for")
                try promise(asks || sent == body, "a body that needs no change is changed")
                guard let value = try? JSONParser.parse(bytes) else { continue }
                try promise(value["model"]?.stringValue == request.model, "two readers see different models")
            }
        }
    }

    /// With a budget, every request states a limit when it is sent, and what it has the service do is the same.
    private static func checkStated(_ body: ByteBuffer, _ dialect: ModelDialect) throws {
        let limits = ModelRequest.Limits(dialect.limitNames, stated: 7)
        guard let request = try? ModelRequest(body, dialect, limits) else { return }
        guard let again = try? ModelRequest(request.sent(body), dialect) else {
            throw FuzzFinding("a body that a limit is written into cannot be read")
        }
        try promise(again.outputTokensMax == request.outputTokensMax, "the limit is another one")
        try promise(again.outputTokensMax != nil, "a request is sent without a limit")
        try promise(again.extras == request.extras, "what the service does changes")
    }

    /// Answers, in whatever pieces: what was used reads the same, and what a client gets is the same.
    static let modelAnswer = FuzzTarget("model-answer") {
        [
            "data: {\"choices\":[{\"delta\":{}}],\"usage\":null}\n\ndata: {\"choices\":[],\"usage\":"
                + "{\"prompt_tokens\":9,\"completion_tokens\":1}}\n\ndata: [DONE]\n\n",
            "event: message_start\r\ndata: {\"message\":{\"usage\":{\"input_tokens\":5}}}\r\n\r\n"
                + "data: {\"usage\":{\"output_tokens\":3}}\r\n\r\n",
            "data: {\"response\":\rdata:{\"usage\":{\"input_tokens\":5,\"output_tokens\":3}}}\r\r: x\r",
            #"{"usage":{"input_tokens":5,"output_tokens":3,"input_tokens_details":{"cached_tokens":2}},"a":[[]]}"#,
        ].map { Array($0.utf8) }
    } prepare: {
        { bytes in
            let half = bytes.count / 2
            let ways = [[bytes], bytes.map { [$0] }, [Array(bytes[..<half]), Array(bytes[half...])]]
            for dialect in ModelDialect.allCases {
                for isStream in [true, false] {
                    let usages = ways.map { pieces in
                        var reader = UsageReader(dialect, isStream: isStream)
                        for piece in pieces { reader.take(ByteBuffer(bytes: piece)) }
                        return reader.usage
                    }
                    try promise(usages.allSatisfy { $0 == usages[0] }, "an answer reads differently in other pieces")
                }
            }
            let passed = ways.map { pieces in
                var filter = UsageFrameFilter()
                var all: [UInt8] = []
                for piece in pieces { all += Array(filter.take(ByteBuffer(bytes: piece)).readableBytesView) }
                return all + Array((filter.end() ?? ByteBuffer()).readableBytesView)
            }
            try promise(passed.allSatisfy { $0 == passed[0] }, "a client gets another answer in other pieces")
            try promise(passed[0].count <= bytes.count, "a client gets more than came")
        }
    }
}
