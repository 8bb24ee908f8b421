/// Hosts at which models are billed. Where a run's use of models is limited, nothing goes there that is not metered.
package enum KnownModelHosts {
    /// True for the hosts and for all names below them.
    package static func contains(_ name: HostName) -> Bool {
        // AWS and Google Cloud have hosts in each region.
        let text = name.text
        if text.hasPrefix("bedrock"), text.hasSuffix(".amazonaws.com") || text.hasSuffix(".api.aws") { return true }
        if text.hasSuffix(".googleapis.com"), isOfGoogle(text.prefix { $0 != "." }) { return true }
        return name.isAtOrBelow(hosts)
    }

    /// True for the first label of a host, with or without a region before it.
    private static func isOfGoogle(_ label: Substring) -> Bool {
        ["aiplatform", "generativelanguage", "cloudcode-pa"].contains(where: label.hasSuffix)
    }

    private static let hosts: Set<String> = [
        // Those that Bailey can meter, for runs that do not use them as providers
        "api.anthropic.com", "api.deepseek.com", "api.groq.com", "api.mistral.ai", "api.openai.com", "api.x.ai",
        "chatgpt.com", "codestral.mistral.ai", "openrouter.ai",
        // Clouds
        "openai.azure.com", "openai.azure.us", "openai.azure.cn", "cognitiveservices.azure.com",
        "api.cognitive.microsoft.com", "services.ai.azure.com", "models.ai.azure.com", "inference.ai.azure.com",
        "ml.cloud.ibm.com", "models.github.ai", "githubcopilot.com", "gateway.ai.cloudflare.com",
        // Others
        "api.ai21.com", "api.cerebras.ai", "api.cohere.ai", "api.cohere.com", "api.deepinfra.com",
        "api.fireworks.ai", "api.hyperbolic.xyz", "api.minimax.io", "api.minimaxi.com", "api.moonshot.ai",
        "api.moonshot.cn", "api.novita.ai", "api.perplexity.ai", "api.replicate.com", "api.sambanova.ai",
        "api.together.ai", "api.together.xyz", "api.z.ai", "ai-gateway.vercel.sh", "api.voyageai.com",
        "bigmodel.cn", "dashscope.aliyuncs.com", "dashscope-intl.aliyuncs.com", "inference.baseten.co",
        "integrate.api.nvidia.com", "llm.chutes.ai", "api.studio.nebius.com", "api.tokenfactory.nebius.com",
        "router.huggingface.co", "api-inference.huggingface.co", "endpoints.huggingface.cloud", "api.portkey.ai",
        "dashscope-us.aliyuncs.com", "api.kimi.com", "api.siliconflow.cn", "api.siliconflow.com",
    ]
}
