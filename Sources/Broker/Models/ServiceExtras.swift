import Egress

/// What of a request has the service do or read more than the request says. Whatever is not known here to be carried
/// out by the client, or to be harmless, counts: a budget holds only what can be told before.
enum ServiceExtras {
    /// Tools that the client carries out, by their types; a date may follow where one ends in a dash.
    private static let ownTools: [ModelDialect: [String]] = [
        .messages: [
            "custom", "bash_", "text_editor_", "memory_", "computer_", "tool_definition", "tool_reference",
        ],
        .chat: ["function", "custom"],
        .responses: [
            "function", "custom", "namespace", "local_shell", "apply_patch", "computer", "computer_use_preview",
        ],
    ]

    /// True for a tool that the client carries out.
    static func isOwn(_ type: String, _ dialect: ModelDialect) -> Bool {
        (ownTools[dialect] ?? []).contains { name in
            guard name.hasSuffix("_") else { return type == name }
            return type.hasPrefix(name) && type.utf8.count == name.utf8.count + 8 && isDated(type)
        }
    }

    /// True for a type such as `web_search_20250305`.
    static func isDated(_ type: String) -> Bool {
        let end = type.utf8.suffix(9)
        return end.count == 9 && end.first == UInt8(ascii: "_") && end.dropFirst().allSatisfy { (48...57).contains($0) }
    }

    /// True for a member at the top of a request that adds nothing to what can be told from it.
    static func isHarmless(_ member: String, _ dialect: ModelDialect) -> Bool {
        common.contains(member) || (own[dialect] ?? []).contains(member)
    }

    /// Some models search, or have others work for them, without being told to.
    static func works(_ model: String) -> Bool {
        let name = model.lowercased()
        return ["-search", "deep-research", "compound", "sonar", ":online", "multi-agent"].contains {
            name.contains($0)
        }
    }

    /// What a service does by this is left out of the sums that its answers say.
    static func isUnsaid(_ name: String) -> Bool { name.hasPrefix("compact") || name.hasPrefix("advisor_") }

    /// Objects of the client's own, which no service reads: their names mean what a tool says they mean.
    static let opaque: Set<String> = [
        "input", "input_schema", "input_examples", "parameters", "schema", "metadata", "client_metadata", "arguments",
        "properties",
    ]

    /// Of a tool that the client carries out, in Chat Completions.
    static let chatToolMembers: Set<String> = ["type", "function", "custom", "cache_control"]

    /// In every dialect. `elsewhere` and the limits of answers are judged by themselves.
    private static let common: Set<String> = [
        "model", "models", "messages", "stream", "stream_options", "temperature", "top_p", "top_k", "min_p", "top_a",
        "stop", "stop_sequences", "seed", "random_seed", "n", "user", "metadata", "client_metadata", "tools",
        "tool_choice", "parallel_tool_calls", "max_tokens", "max_completion_tokens", "max_output_tokens", "logprobs",
        "top_logprobs", "logit_bias", "presence_penalty", "frequency_penalty", "repetition_penalty",
        "response_format", "service_tier", "store", "thinking", "reasoning", "reasoning_effort", "verbosity",
        "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "cache_control", "session_id", "speed",
        "preset", "plugins", "fallbacks", "provider", "route", "inference_geo",
    ]
    private static let own: [ModelDialect: Set<String>] = [
        .messages: [
            "system", "context_management", "output_config", "output_format", "betas", "anthropic_beta",
            "anthropic_version", "diagnostics",
        ],
        .chat: [
            "functions", "function_call", "include_reasoning", "reasoning_format", "safe_prompt", "prompt_mode",
            // Text, where code is filled in.
            "prompt", "suffix", "enable_thinking", "chat_template_kwargs", "usage", "citation_options",
            "disable_tool_validation", "documents", "stream_tool_calls", "trace", "transforms",
        ],
        .responses: [
            "input", "instructions", "text", "include", "truncation", "max_tool_calls", "context_management",
        ],
    ]
}
