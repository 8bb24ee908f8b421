import Broker
import Egress
import NIOCore
import Testing

@Suite("of a request to a model what matters is read, and the rest passes byte for byte")
struct ModelRequestTests {
    private func read(_ text: String, _ dialect: ModelDialect = .chat) throws -> ModelRequest {
        try ModelRequest(ByteBuffer(string: text), dialect)
    }

    @Test("model, limit and streaming, in every dialect")
    func members() throws {
        let messages = try read(#"{"model":"m","max_tokens":7,"stream":true,"thinking":{"a":[1,{}]}}"#, .messages)
        #expect(messages.model == "m" && messages.outputTokensMax == 7 && messages.isStream)
        let chat = try read(#" { "model" : "a/b:c" , "max_tokens":5, "max_completion_tokens":9,"n":3 } "#)
        #expect(chat.model == "a/b:c" && chat.outputTokensMax == 27 && !chat.isStream)
        let responses = try read(##"{"mod\u0065l":"m","max_output_tokens":1e3,"input":"\"#"}"##, .responses)
        #expect(responses.model == "m" && responses.outputTokensMax == 1000)
        #expect(try read(#"{"model":"m","max_tokens":null}"#).outputTokensMax == nil)
    }

    @Test(
        "what is not understood is refused, in words that name it",
        arguments: [
            ("", "no JSON object"), ("nonsense", "no JSON object"), ("[]", "no JSON object"), ("{}", "names no model"),
            (#"{"model":1}"#, "model is no name"), (#"{"model":"a b"}"#, "model is no name"),
            (#"{"model":"m","model":"n"}"#, "stands twice"), (#"{"model":"m","mod\u0065l":"n"}"#, "stands twice"),
            (#"{"model":"m","Model":"n"}"#, "lower case"), (#"{"model":"m","max_to\u212aens":1}"#, "lower case"),
            (#"{"model":"m","model\u017f":["n"]}"#, "lower case"), (#"{"model":"m","MAX_TOKENS":1}"#, "lower case"),
            (#"{"model":"m","max_tokens":-1}"#, "max_tokens"), (#"{"model":"m","max_tokens":"9"}"#, "max_tokens"),
            (#"{"model":"m","stream":1}"#, "stream"), (#"{"model":"m"} {}"#, "something follows"),
            (#"{"model":"m",}"#, "no name"), (#"{"model":"m","a":[}]"#, "close each other"),
            (#"{"model":"m","a":/*"*/1}"#, "no value"), (#"{"model":"m","a":{'b':1}}"#, "no value"),
            (#"{"model":"m","n":99999}"#, "n is no whole"), (#"{"model":"m","a":"\#n"}"#, "control character"),
        ]
    )
    func faults(_ text: String, _ words: String) {
        let fault = #expect(throws: ModelRequest.Fault.self) { try read(text) }
        #expect(fault?.reason.contains(words) == true, "\(text): \(fault?.reason ?? "")")
    }

    @Test("nesting without end, and members without end, are refused")
    func bounds() {
        let deep = #"{"model":"m","a":"# + String(repeating: "[", count: 100_000)
        #expect(throws: ModelRequest.Fault.self) { try read(deep) }
        let wide = "{" + (0..<2000).map { "\"a\($0)\":1" }.joined(separator: ",") + ",\"model\":\"m\"}"
        #expect(throws: ModelRequest.Fault.self) { try read(wide) }
    }

    @Test(
        "usage is asked for where a stream would not say it, and nothing else changes",
        arguments: [
            (#"{"model":"m","stream":true}"#, #"{"stream_options":{"include_usage":true},"model":"m","stream":true}"#),
            (
                #"{ "model":"m","stream":true,"stream_options":null}"#,
                #"{ "model":"m","stream":true,"stream_options":{"include_usage":true}}"#
            ),
            (
                #"{"model":"m","stream":true,"stream_options":{ }}"#,
                #"{"model":"m","stream":true,"stream_options":{"include_usage":true }}"#
            ),
            (
                #"{"model":"m","stream_options":{"include_usage": false, "x":1},"stream":true}"#,
                #"{"model":"m","stream_options":{"include_usage": true, "x":1},"stream":true}"#
            ),
            (
                #"{"model":"m","stream":true,"stream_options":{"x":1}}"#,
                #"{"model":"m","stream":true,"stream_options":{"include_usage":true,"x":1}}"#
            ),
            (#"{"model":"m","stream":false}"#, #"{"model":"m","stream":false}"#),
        ]
    )
    func insertion(_ text: String, _ expected: String) throws {
        let body = ByteBuffer(string: text)
        let request = try ModelRequest(body, .chat)
        #expect(String(buffer: request.sent(body)) == expected)
        #expect(!request.asksForUsage)
    }

    @Test("a client that asked for usage gets its own request through as it is")
    func asked() throws {
        let text = #"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#
        let request = try read(text)
        #expect(request.asksForUsage && String(buffer: request.sent(ByteBuffer(string: text))) == text)
    }

    @Test("members that lead to another model or price are seen")
    func elsewhere() throws {
        #expect(try read(#"{"model":"m","models":["n"]}"#).elsewhere == "models")
        #expect(try read(#"{"model":"m","preset":"n"}"#).elsewhere == "preset")
        #expect(try read(#"{"model":"m","plugins":[{"id":"web"}]}"#).elsewhere == "plugins")
        for tier in ["priority", "ultrafast", "scale"] {
            #expect(try read(#"{"model":"m","service_tier":"\#(tier)"}"#).elsewhere == "service_tier")
        }
        #expect(try read(#"{"model":"m","service_tier":7}"#).elsewhere == "service_tier")
        #expect(try read(#"{"model":"m","provider":{"order":["x"]}}"#).elsewhere == "provider")
        #expect(try read(#"{"model":"m","route":"fallback"}"#).elsewhere == "route")
        #expect(try read(#"{"model":"m","inference_geo":"us"}"#).elsewhere == "inference_geo")
        #expect(try read(#"{"model":"m","service_tier":"auto","models":null}"#).elsewhere == nil)
    }

    @Test("a cache may be written where the body says so, in whatever letters, and without a word at OpenAI's")
    func caches() throws {
        let plain = #"{"model":"m","system":"x"}"#
        #expect(try !read(plain, .messages).writesCache && read(plain, .responses).writesCache)
        #expect(try !read(plain, .responses).writesLongCache)
        let short = try read(#"{"model":"m","a":[{"cache_control":{"ttl":"5m"}}]}"#, .messages)
        #expect(short.writesCache && !short.writesLongCache)
        #expect(try read(#"{"model":"m","a":[{"cache_control":{"ttl":"\u0031h"}}]}"#, .messages).writesLongCache)
        #expect(try read(#"{"model":"m","a":[{"cache_contro\u006c":{"ttl":"1h"}}]}"#, .messages).writesLongCache)
    }

    @Test("pictures are told from text")
    func pictures() throws {
        let picture = String(repeating: "iVBORw0KGgo", count: 1000)
        for part in [
            #"{"type":"image_url","image_url":{"url":"data:image/png;base64,\#(picture)"}}"#,
            #"{"type":"input_image","image_url":"data:image/png;base64,\#(picture)"}"#,
            #"{"type":"image","source":{"data":"\#(picture)","type":"base64","media_type":"image/png"}}"#,
        ] {
            let request = try read(#"{"model":"m","messages":[{"content":[\#(part)]}]}"#)
            #expect(request.encodedBytes > 10_900 && request.textBytes < 250, "\(request)")
            #expect(request.pictures >= 1 && request.extras == [], "\(request)")
        }
        // What only looks like one is text, and reads as such.
        for part in [
            #"{"type":"text","text":"\#(picture)"}"#, #"{"type":"tool_use","input":{"data":"\#(picture)"}}"#,
            #"{"type":"x","data":"\#(picture)"}"#, #"{"a_url":"data:image/png;base64,\#(picture)"}"#,
            #"{"source":{"type":"base64","type":"text","media_type":"text/plain","data":"\#(picture)"}}"#,
            #"{"source":{"type":"base64","media_type":"text/plain","data":"\#(picture)"}}"#,
        ] {
            let request = try read(#"{"model":"m","messages":[{"content":[\#(part)]}]}"#)
            #expect(request.encodedBytes == 0 && request.textBytes > 11_000, "\(request)")
        }
        let image = #"{"type":"image","x_url":"data:image/png;base64,\#(picture)"}"#
        for member in [#""tools":[{"name":"x","input_examples":[\#(image)]}]"#, #""documents":[\#(image)]"#] {
            #expect(try read(#"{"model":"m",\#(member)}"#).encodedBytes == 0, "\(member)")
        }
        let text = try read(#"{"model":"m","a":"\#(String(repeating: "word ", count: 2000))"}"#)
        #expect(text.encodedBytes == 0 && text.textBytes > 10_000)
    }
}
