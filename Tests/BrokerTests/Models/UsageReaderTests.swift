import Broker
import Domain
import Egress
import Foundation
import NIOCore
import Testing

@Suite("what a model used is read from its answer, however it comes")
struct UsageReaderTests {
    private func usage(_ sample: AnswerSamples.Sample, _ pieces: [[UInt8]]) -> UsageReader.Usage {
        var reader = UsageReader(sample.dialect, isStream: sample.isStream)
        for piece in pieces { reader.take(ByteBuffer(bytes: piece)) }
        return reader.usage
    }

    private func check(_ sample: AnswerSamples.Sample, _ usage: UsageReader.Usage, _ what: Comment) {
        #expect(usage.isFinal == (sample.tokens != nil), what)
        if let tokens = sample.tokens { #expect(usage.tokens == tokens, what) }
    }

    @Test("whole, split at every byte, and byte by byte", arguments: AnswerSamples.all)
    func split(_ sample: AnswerSamples.Sample) {
        let bytes = Array(sample.text.utf8)
        check(sample, usage(sample, [bytes]), "whole")
        check(sample, usage(sample, bytes.map { [$0] }), "byte by byte")
        for place in bytes.indices {
            check(sample, usage(sample, [Array(bytes[..<place]), Array(bytes[place...])]), "split at \(place)")
        }
    }

    @Test("lines that end with CR or both, and a byte order mark", arguments: AnswerSamples.all.filter(\.isStream))
    func lineEnds(_ sample: AnswerSamples.Sample) {
        for end in ["\r\n", "\r"] {
            let bytes = [0xEF, 0xBB, 0xBF] + Array(sample.text.replacing("\n", with: end).utf8)
            check(sample, usage(sample, [bytes]), "\(end.utf8.count)")
            check(sample, usage(sample, bytes.map { [$0] }), "\(end.utf8.count), byte by byte")
        }
    }

    @Test("the part that is kept for an hour is told apart")
    func longCache() {
        let sample = AnswerSamples.all[0]
        #expect(usage(sample, [Array(sample.text.utf8)]).longCacheWrite == 40)
    }

    @Test(
        "thoughts that only the total holds are output, and what was written to a cache is told apart",
        arguments: [
            (
                ModelDialect.chat,
                #"{"prompt_tokens":32,"completion_tokens":9,"total_tokens":135}"#, [32, 0, 0, 103] as [UInt64]
            ),
            (.chat, #"{"prompt_tokens":32,"completion_tokens":9,"total_tokens":41}"#, [32, 0, 0, 9]),
            (.chat, #"{"prompt_tokens":32,"completion_tokens":9,"total_tokens":3}"#, [32, 0, 0, 9]),
            (
                .chat,
                #"{"prompt_tokens":32,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":8},"#
                    + #""completion_tokens":9}"#,
                [20, 4, 8, 9]
            ),
            (
                .responses,
                #"{"input_tokens":32,"input_tokens_details":{"cached_tokens":30,"cache_write_tokens":8},"#
                    + #""output_tokens":9,"total_tokens":50}"#,
                [0, 30, 2, 18]
            ),
        ]
    )
    func sums(_ dialect: ModelDialect, _ usage: String, _ expected: [UInt64]) {
        var reader = UsageReader(dialect, isStream: false)
        reader.take(ByteBuffer(string: #"{"usage":\#(usage)}"#))
        let tokens = reader.usage.tokens
        #expect([tokens.input, tokens.cacheRead, tokens.cacheWrite, tokens.output] == expected)
    }

    @Test("a stream that is cut says what was read, and no more")
    func cut() throws {
        let sample = AnswerSamples.all[0]
        let text = try #require(sample.text.range(of: "event: message_delta").map { sample.text[..<$0.lowerBound] })
        let cut = usage(sample, [Array(text.utf8)])
        #expect(!cut.isFinal && cut.input == 25 && cut.cacheRead == 7000)
    }

    @Test("what the model wrote is never taken for what it used")
    func contentIsNoUsage() {
        for text in [
            #"{"content":[{"usage":{"input_tokens":1,"output_tokens":1}}]}"#,
            #"{"a":{"usage":{"input_tokens":1,"output_tokens":1}}}"#,
            #"{"content":"x\",\"usage\":{\"input_tokens\":1,\"output_tokens\":1}"}"#,
            #"[{"usage":{"input_tokens":1,"output_tokens":1}}]"#,
            #"{"usage":{"input_tokens":1,"output_tokens":1}"#,
            #"{"usage":{"input_tokens":1,"output_tokens":1}} {}"#,
        ] {
            var reader = UsageReader(.messages, isStream: false)
            reader.take(ByteBuffer(string: text))
            #expect(!reader.usage.isFinal, "\(text)")
        }
    }

    @Test("hundreds of megabytes take no memory and no time to speak of, and deep nesting breaks nothing")
    func huge() {
        var reader = UsageReader(.chat, isStream: true)
        reader.take(ByteBuffer(string: "data: {\"a\":\""))
        let part = ByteBuffer(repeating: UInt8(ascii: "x"), count: 1 << 20)
        for _ in 0..<32 { reader.take(part) }
        reader.take(ByteBuffer(string: "\"}\n\n" + AnswerSamples.chat))
        #expect(reader.usage.tokens == .init(input: 20, cacheRead: 100, output: 30))
        var deep = UsageReader(.chat, isStream: false)
        deep.take(ByteBuffer(string: String(repeating: "{\"a\":[", count: 100_000)))
        #expect(!deep.usage.isFinal)
    }
}

@Suite("the frame with usage that was asked for in addition does not reach the client")
struct UsageFrameFilterTests {
    private func filtered(_ pieces: [[UInt8]]) -> String {
        var filter = UsageFrameFilter()
        var all = ByteBuffer()
        for piece in pieces {
            var passed = filter.take(ByteBuffer(bytes: piece))
            all.writeBuffer(&passed)
        }
        if var rest = filter.end() { all.writeBuffer(&rest) }
        return String(buffer: all)
    }

    @Test("only that frame goes, wherever the stream is split", arguments: ["\n", "\r\n", "\r"])
    func split(_ end: String) throws {
        let frames = AnswerSamples.chat.components(separatedBy: "\n\n")
        let expected = (frames[..<2] + frames[3...]).joined(separator: "\n\n").replacing("\n", with: end)
        let bytes = Array(AnswerSamples.chat.replacing("\n", with: end).utf8)
        #expect(filtered([bytes]) == expected)
        #expect(filtered(bytes.map { [$0] }) == expected)
        for place in bytes.indices {
            #expect(filtered([Array(bytes[..<place]), Array(bytes[place...])]) == expected, "split at \(place)")
        }
    }

    @Test("everything else passes as it came")
    func others() {
        for text in [
            "data: {\"choices\":[{\"delta\":{}}],\"usage\":{\"prompt_tokens\":1}}\n\n",
            "data: {\"choices\":[],\"usage\":null}\n\n", "data: {\"choices\":[]}\n\ndata: nonsense\n\n: comment\n\n",
            "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}", "event: x\ndata\n\n\n\n", "\n\n\n", "",
        ] {
            #expect(filtered([Array(text.utf8)]) == text)
            #expect(filtered(text.utf8.map { [$0] }) == text)
        }
    }

    @Test("a whole event is passed on at once, and a long one as it comes")
    func delay() {
        var filter = UsageFrameFilter()
        let event = "data: {\"choices\":[{}]}\r\n\r\n"
        #expect(String(buffer: filter.take(ByteBuffer(string: event))) == event)
        let long = ByteBuffer(string: "data: \"" + String(repeating: "x", count: UsageFrameFilter.frameBytesMax))
        #expect(filter.take(long).readableBytes == long.readableBytes)
    }
}
