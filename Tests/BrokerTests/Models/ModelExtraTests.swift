import Broker
import Egress
import NIOCore
import Testing

@Suite("what a service does or reads beside answering is seen in a request")
struct ModelExtraTests {
    private func extras(_ members: String, _ dialect: ModelDialect) throws -> [String] {
        try ModelRequest(ByteBuffer(string: #"{"model":"m",\#(members)}"#), dialect).extras
    }

    @Test(
        "tools that the client carries out are none",
        arguments: [
            (.messages, #"{"name":"x","input_schema":{"type":"object","properties":{"type":{"type":"web"}}}}"#),
            (.messages, #"{"type":"custom","name":"x"}"#), (.messages, #"{"type":"bash_20250124","name":"bash"}"#),
            (.messages, #"{"type":"text_editor_20250728","cache_control":{"type":"ephemeral"}}"#),
            (.messages, #"{"type":"memory_20250818"}"#), (.messages, #"{"type":"computer_20251124"}"#),
            (.chat, #"{"type":"function","function":{"name":"x","parameters":{"tools":[{"type":"y"}]}}}"#),
            (.chat, #"{"function":{"name":"x"}}"#), (.chat, #"{"type":"custom","custom":{}}"#),
            (.responses, #"{"type":"function","name":"x","parameters":{}}"#),
            (.responses, #"{"type":"namespace","tools":[{"type":"custom"},{"type":"function"}]}"#),
            (.responses, #"{"type":"local_shell"},{"type":"apply_patch"},{"type":"computer_use_preview"}"#),
            (.responses, #"{"type":"shell","environment":{"type":"local"}}"#),
            (.responses, #"{"type":"tool_search","execution":"client"}"#),
        ] as [(ModelDialect, String)]
    )
    func own(_ dialect: ModelDialect, _ tool: String) throws {
        #expect(try extras(#""tools":[\#(tool)]"#, dialect) == [], "\(tool)")
    }

    @Test(
        "tools that the service carries out, and those that nobody knows, count",
        arguments: [
            (.messages, #"{"type":"web_search_20250305","name":"web_search"}"#, "web_search_20250305"),
            (.messages, #"{"type":"web_fetch_20250910"}"#, "web_fetch_20250910"),
            (.messages, #"{"type":"code_execution_20250825"}"#, "code_execution_20250825"),
            (.messages, #"{"type":"advisor_20260301","model":"n"}"#, "advisor_20260301"),
            (.messages, #"{"type":"mcp_toolset"}"#, "mcp_toolset"), (.messages, #"{"type":"bash_x"}"#, "bash_x"),
            (.messages, #"{"type":"tool_search_tool_regex_20251119"}"#, "tool_search_tool_regex_20251119"),
            (.chat, #"{"type":"web_search"}"#, "web_search"), (.chat, #"{"type":"browser_search"}"#, "browser_search"),
            (.chat, #"{"google_search":{}}"#, "tools"), (.chat, #""web_search""#, "tools"),
            (.responses, #"{"type":"web_search","external_web_access":false}"#, "web_search"),
            (.responses, #"{"type":"file_search"}"#, "file_search"), (.responses, #"{"type":"mcp"}"#, "mcp"),
            (.responses, #"{"type":"code_interpreter"}"#, "code_interpreter"), (.responses, "{}", "tools"),
            (.responses, #"{"type":"image_generation"}"#, "image_generation"),
            (.responses, #"{"type":"shell"}"#, "shell"), (.responses, #"{"name":"x"}"#, "tools"),
            (.responses, #"{"type":"shell","environment":{"type":"container_auto"}}"#, "shell"),
            (.responses, #"{"type":"shell","execution":"client"}"#, "shell"),
            (.responses, #"{"type":"tool_search","execution":"server"}"#, "tool_search"),
            (.responses, #"{"type":"namespace","tools":[{"type":"x_search"}]}"#, "x_search"),
            // Readers that take the other one of two, another case, an escape.
            (.responses, #"{"type":"function","type":"mcp"}"#, "mcp"),
            (.responses, #"{"type":"mcp","type":"function"}"#, "mcp"),
            (.responses, #"{"type":"function","TYPE":"mcp"}"#, "mcp"),
            (.responses, #"{"ty\u0070e":"m\u0063p"}"#, "mcp"), (.messages, #"{"\u0074ype":"web_x"}"#, "web_x"),
            (.responses, #"{"type":"function"},{"type":"mcp"}"#, "mcp"),
            (.responses, #"{"type":"shell","environment":{"type":"local"},"environment":null}"#, "tools"),
            (.responses, #"{"type":"tool_search","execution":"client","execution":null}"#, "tools"),
            (.chat, #"{"type":"function","function":{"name":"x"},"google_search":{}}"#, "tools"),
            (.chat, #"{"function":null,"google_search":{}}"#, "tools"),
        ] as [(ModelDialect, String, String)]
    )
    func services(_ dialect: ModelDialect, _ tool: String, _ name: String) throws {
        #expect(try extras(#""tools":[\#(tool)]"#, dialect) == [name], "\(tool)")
    }

    @Test(
        "tools in the conversation, and what it refers to, count too; what belongs to the client's tools does not",
        arguments: [
            (#"[{"type":"additional_tools","tools":[{"type":"namespace","tools":[{"type":"custom"}]}]}]"#, nil),
            (#"[{"type":"additional_tools","tools":[{"type":"web_search"}]}]"#, "web_search"),
            (#"[{"type":"item_reference","id":"x"}]"#, "item_reference"), (#"[{"id":"x"}]"#, "item_reference"),
            (#"[{"id":"x","type":null}]"#, "item_reference"), (#"[{"id":"x","role":null}]"#, "item_reference"),
            (#"[{"role":"user","content":"x"}]"#, nil),
            (#"[{"content":[{"type":"input_file","file_id" : "f"}]}]"#, "file_id"),
            (#"[{"role":"user","content":[{"file\u005fid":"f"}]}]"#, "file_id"),
            (#"[{"role":"user","content":[{"file_data":"data:application/pdf;base64,AA"}]}]"#, "file_data"),
            (#"[{"role":"user","content":[{"file_url":"https://a.example/b"}]}]"#, "file_url"),
            (#"[{"role":"user","content":[{"image_url":"https://a.example/b"}]}]"#, "image_url"),
            (#"[{"role":"user","content":[{"image_url":{"detail":"x","url":"https://a.example"}}]}]"#, "image_url"),
            (#"[{"role":"user","content":[{"image_url":{"url":"data:image/png;base64,AAAA"}}]}]"#, nil),
            (#"[{"role":"user","content":[{"source":{"type": "\u0075rl","url":"https://a.example"}}]}]"#, "url"),
            (#"[{"role":"user","content":[{"source":{"media_type":"application/pdf"}}]}]"#, "application/pdf"),
            (#"[{"role":"user","content":[{"source":{"media_type":"image/png"}}]}]"#, nil),
            (#"[{"type":"tool_use","input":{"file_id":"f","tools":[{"type":"mcp"}]}}]"#, nil),
            (#"[{"type":"function_call","arguments":"{\"file_id\":\"f\"}"}]"#, nil),
            (#"[{"type":"message","metadata":{"file_id":"f"},"größe":"\u00e9"}]"#, nil),
        ] as [(String, String?)]
    )
    func conversations(_ items: String, _ name: String?) throws {
        let found = try extras(#""input":\#(items)"#, .responses)
        #expect(name.map { found.contains($0) } ?? (found == []), "\(items): \(found)")
    }

    @Test(
        "a tool that a message brings counts as one of the list does",
        arguments: [
            (#"{"type":"tool_definition","definition":{"type":"web_fetch_20250910"}}"#, "web_fetch_20250910"),
            (#"{"definition":{"type":"mcp_toolset"},"type":"tool_definition"}"#, "mcp_toolset"),
            (#"{"type":"mcp_toolset","name":"x"}"#, "mcp_toolset"),
            (#"{"type":"tool_definition","definition":{"name":"x","input_schema":{"type":"web_20250101"}}}"#, nil),
            (#"{"type":"tool_definition","definition":{"type":"bash_20250124"}}"#, nil),
            (#"{"type":"tool_reference","name":"x"}"#, nil), (#"{"other":{"type":"x_20250101"}}"#, "x_20250101"),
        ] as [(String, String?)]
    )
    func inline(_ tool: String, _ name: String?) throws {
        let message = #"{"role":"system","content":[{"type":"tool_addition","tool":\#(tool)}]}"#
        let found = try extras(#""messages":[\#(message)]"#, .messages)
        #expect(found == (name.map { [$0] } ?? []), "\(tool)")
    }

    @Test(
        "members that nobody knows count, and what is off does not",
        arguments: [
            (.chat, #""web_search_options":{}"#, "web_search_options"), (.chat, #""web_search_options":null"#, nil),
            (.chat, #""search_parameters":{"mode":"on"}"#, "search_parameters"),
            (.chat, #""enable_search":false"#, nil),
            (.chat, #""enable_search":true"#, "enable_search"), (.chat, #""best_of":20"#, "best_of"),
            (.chat, #""prediction":{}"#, "prediction"), (.chat, #""modalities":["audio"]"#, "modalities"),
            (.chat, #""extra_body":{"google":{}}"#, "extra_body"), (.chat, #""n":2,"prompt":"x""#, nil),
            (.messages, #""mcp_servers":[]"#, "mcp_servers"), (.messages, #""container":"x""#, "container"),
            (.messages, #""thread":{"type":"continue"}"#, "thread"), (.messages, #""thinking":{"type":"x"}"#, nil),
            (.messages, #""context_management":{"edits":[{"type":"clear_thinking_20251015","keep":"all"}]}"#, nil),
            (
                .messages,
                #""context_management":{"edits":[{"type":"compact_20260112","trigger":{"type":"input_tokens"}}]}"#,
                "compact_20260112"
            ),
            (.messages, #""metadata":{"file_id":"f"}"#, nil), (.messages, #""input":[]"#, "input"),
            (.responses, #""context_management":[{"type":"compaction"}]"#, "compaction"),
            (.responses, #""context_management":{"type":"compaction"}"#, "compaction"),
            (.chat, #""messages":[{"role":"assistant","audio":{"id":"a"}}]"#, "audio"),
            (.messages, #""tools":[{"name":"x","input_examples":[{"file_id":"f"}]}]"#, nil),
            (.responses, #""previous_response_id":"x""#, "previous_response_id"),
            (.responses, #""conversation":{"id":"x"}"#, "conversation"),
            (.responses, #""prompt":{"id":"x"}"#, "prompt"), (.responses, #""background":true"#, "background"),
            (.responses, #""background":false,"store":true"#, nil),
            (.responses, #""truncation":"auto","client_metadata":{"a":{"file_id":"b"}}"#, nil),
        ] as [(ModelDialect, String, String?)]
    )
    func members(_ dialect: ModelDialect, _ member: String, _ name: String?) throws {
        #expect(try extras(member, dialect) == (name.map { [$0] } ?? []), "\(member)")
    }

    @Test(
        "models that search by themselves count, under their own names",
        arguments: [
            "gpt-4o-search-preview", "o3-deep-research", "groq/compound", "x/y:online", "sonar-pro",
            "grok-4.20-multi-agent",
        ]
    )
    func models(_ model: String) throws {
        #expect(try ModelRequest(ByteBuffer(string: #"{"model":"\#(model)"}"#), .chat).extras == [model])
    }

    @Test("a tool with a model of its own is told, and an answer that goes on without its client")
    func ownModel() throws {
        let tool = #"{"model":"m","background":true,"tools":[{"type":"advisor_20260301","model":"n"}]}"#
        let request = try ModelRequest(ByteBuffer(string: tool), .messages)
        #expect(request.extrasNameModel && request.isDetached)
        let plain = #"{"model":"m","background":false,"tools":[{"name":"x","model":"n"},{"type":"web_x"}]}"#
        let other = try ModelRequest(ByteBuffer(string: plain), .messages)
        #expect(!other.extrasNameModel && !other.isDetached)
    }

    @Test("only the limits that a service heeds count, and one is written where there is none")
    func limits() throws {
        func read(_ text: String, _ names: [String], _ stated: UInt64? = nil) throws -> (UInt64?, String) {
            let body = ByteBuffer(string: text)
            let request = try ModelRequest(body, .chat, .init(names, stated: stated))
            return (request.outputTokensMax, String(buffer: request.sent(body)))
        }
        let both = #"{"model":"m","max_tokens":900,"max_completion_tokens":5}"#
        #expect(try read(both, ["max_tokens"]).0 == 900)
        #expect(try read(both, ["max_completion_tokens", "max_tokens"]).0 == 900)
        // A service that has learned the other name is held by it too.
        #expect(try read(both, ["max_completion_tokens"]).0 == 900)
        let other = #"{"model":"m","max_completion_tokens":5,"stream":true}"#
        #expect(try read(other, []).0 == nil)
        let (limit, sent) = try read(other, ["max_tokens"], 32)
        #expect(try read(other, ["max_tokens"]).0 == nil)
        #expect(limit == 32 && sent.contains(#""max_tokens":32,"#), "\(sent)")
        #expect(sent.contains(#""include_usage":true"#), "\(sent)")
        let null = #"{"model":"m","n":2,"max_tokens":null}"#
        #expect(try read(null, ["max_tokens"], 32) == (64, #"{"model":"m","n":2,"max_tokens":32}"#))
        #expect(try read(both, ["max_tokens"], 32).1 == both)
        let zero = #"{"model":"m","max_tokens":0}"#
        #expect(try read(zero, ["max_tokens"], 32) == (32, #"{"model":"m","max_tokens":32}"#))
    }
}
