/// By what an issuer's keys begin. Programs look at that before they use a key, so a placeholder begins the same; it is
/// the issuer's word and no part of a secret. What is not listed is not kept: it could be the secret's own.
package enum KeyPrefix {
    /// The longest that a key begins with; empty where none is known.
    package static func find(_ key: UnsafeRawBufferPointer) -> String {
        known.first { key.count > $0.utf8.count && key.starts(with: $0.utf8) } ?? ""
    }

    /// As issuers document them, longer ones before those that they begin with.
    private static let known = [
        // Anthropic
        "sk-ant-api03-", "sk-ant-admin01-", "sk-ant-oat01-", "sk-ant-ort01-", "sk-ant-",
        // OpenAI, OpenRouter, and who writes keys as they do
        "sk-svcacct-", "sk-proj-", "sk-or-v1-", "sk-",
        // GitHub, GitLab, Hugging Face
        "github_pat_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "glpat-", "gloas-", "gldt-", "hf_",
        // Google, Groq, xAI, Perplexity, Replicate, Fireworks, Cerebras, NVIDIA
        "AIza", "gsk_", "xai-", "pplx-", "r8_", "fw_", "csk-", "nvapi-",
        // Registries and others
        "npm_", "pypi-", "dop_v1_", "xoxb-", "xoxp-", "sk_live_", "sk_test_", "rk_live_", "rk_test_", "lin_api_",
        "ntn_", "secret_", "tvly-", "SG.", "key-", "pat-",
    ]
}
