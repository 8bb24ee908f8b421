import Domain
import Egress

/// Answers of models in the forms in which services give them.
enum AnswerSamples {
    struct Sample: Sendable, CustomStringConvertible {
        let description: String
        let dialect: ModelDialect
        let isStream: Bool
        let text: String
        /// What was used; nil where the answer does not say.
        let tokens: ModelUse.Tokens?
    }

    static let messages = """
        event: message_start
        data: {"type":"message_start","message":{"id":"msg_1","role":"assistant","content":[],"model":"claude-x",\
        "usage":{"input_tokens":25,"cache_creation_input_tokens":100,"cache_read_input_tokens":7000,\
        "cache_creation":{"ephemeral_5m_input_tokens":60,"ephemeral_1h_input_tokens":40},"output_tokens":1}}}

        event: ping
        data: {"type":"ping"}

        event: content_block_start
        data: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use",\
        "input":{"usage":{"output_tokens":9}}}}

        : a comment
        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta",\
        "text":"\\"usage\\":{\\"output_tokens\\":5000}"}}

        event: something_new
        data: {"type":"something_new","list":[{"usage":{"output_tokens":77}}]}

        event: message_delta
        data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":15}}

        event: message_delta
        data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":42}}

        event: message_stop
        data: {"type":"message_stop"}


        """

    static let chat = """
        data: {"id":"c1","choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"}}],"usage":null}

        data: {"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}

        data: {"id":"c1","choices":[],"usage":{"prompt_tokens":120,"completion_tokens":30,"total_tokens":150,\
        "prompt_tokens_details":{"cached_tokens":100},"completion_tokens_details":{"reasoning_tokens":20}}}

        data: [DONE]


        """

    static let responses = """
        event: response.created
        data: {"type":"response.created","response":{"id":"r1","usage":null,"tools":[{"usage":{"output_tokens":1}}]}}

        event: response.output_text.delta
        data: {"type":"response.output_text.delta","delta":"Hi"}

        event: response.completed
        data: {"type":"response.completed",
        data: "response":{"id":"r1","output":[{"usage":{"output_tokens":4}}],"usage":{"input_tokens":300,
        data: "input_tokens_details":{"cached_tokens":250},"output_tokens":12,"total_tokens":312}}}


        """

    static let all: [Sample] = [
        Sample(
            description: "messages, streaming",
            dialect: .messages,
            isStream: true,
            text: messages,
            tokens: .init(input: 25, cacheRead: 7000, cacheWrite: 100, output: 42)
        ),
        Sample(
            description: "messages, whole",
            dialect: .messages,
            isStream: false,
            text: #"{"content":[{"type":"tool_use","input":{"usage":{"input_tokens":1}}}],"usage":"#
                + #"{"input_tokens":3,"output_tokens":4,"service_tier":"standard"} , "x" : [ ] }"#,
            tokens: .init(input: 3, output: 4)
        ),
        Sample(
            description: "chat, streaming",
            dialect: .chat,
            isStream: true,
            text: chat,
            tokens: .init(input: 20, cacheRead: 100, output: 30)
        ),
        Sample(
            description: "chat, whole",
            dialect: .chat,
            isStream: false,
            text: #"{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":9,"completion_tokens":2}}"#,
            tokens: .init(input: 9, output: 2)
        ),
        Sample(
            description: "responses, streaming",
            dialect: .responses,
            isStream: true,
            text: responses,
            tokens: .init(input: 50, cacheRead: 250, output: 12)
        ),
        Sample(
            description: "responses, cut short by the service",
            dialect: .responses,
            isStream: true,
            text:
                "data: {\"type\":\"response.incomplete\",\"response\":"
                + "{\"usage\":{\"input_tokens\":5,\"output_tokens\":6}}}\n\n",
            tokens: .init(input: 5, output: 6)
        ),
        Sample(
            description: "an error after frames",
            dialect: .messages,
            isStream: true,
            text: String(messages.prefix { $0 != ":" })
                + ": {}\n\ndata: {\"type\":\"error\",\"error\":{\"type\":\"x\"}}\n\n",
            tokens: nil
        ),
        Sample(
            description: "nonsense",
            dialect: .chat,
            isStream: false,
            text: #"{"usage":{"prompt_tokens":-5,"completion_tokens":1e99},"usage":[}"#,
            tokens: nil
        ),
        Sample(
            description: "counts that nobody can have",
            dialect: .chat,
            isStream: false,
            text: #"{"usage":{"prompt_tokens":99999999999999999999999,"completion_tokens":12345678901234567}}"#,
            tokens: nil
        ),
    ]
}
