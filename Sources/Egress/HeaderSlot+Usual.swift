/// Where services read their keys from, so that naming the host is enough.
extension HeaderSlot {
    /// - Parameter isForge: a host of git repositories, where git sends a password.
    package static func usual(at host: HostName, isForge: Bool) throws(EgressRefusal) -> HeaderSlot {
        if let field = fields.first(where: { host.text == $0.host })?.field { return try HeaderSlot(field: field) }
        if azureDomains.contains(where: { host.isBelow($0) }) { return try HeaderSlot(field: "api-key") }
        guard isForge, !readsBearer(host) else { return try HeaderSlot(field: "authorization") }
        return try HeaderSlot(field: "authorization", scheme: .basic(user: forgeUser(host)))
    }

    /// The user that forges expect beside a token: GitLab's instances one, GitHub another, the rest take any.
    package static func forgeUser(_ host: HostName) -> String {
        let isGitLab = host.text.split(separator: ".").contains("gitlab") || gitLabs.contains(host.text)
        return isGitLab ? "oauth2" : "x-access-token"
    }

    /// The providers' own references: Anthropic "Authentication", Google AI "API keys".
    private static let fields: [(host: String, field: String)] = [
        ("api.anthropic.com", "x-api-key"), ("generativelanguage.googleapis.com", "x-goog-api-key"),
    ]
    /// Azure OpenAI Service REST API reference, "Authentication".
    private static let azureDomains = ["openai.azure.com", "cognitiveservices.azure.com"].compactMap {
        try? HostName($0)
    }
    /// Public instances of GitLab without its name.
    private static let gitLabs: Set<String> = [
        "salsa.debian.org", "invent.kde.org", "framagit.org", "0xacab.org", "code.videolan.org", "jihulab.com",
    ]
    /// Programming interfaces of forges, and Hugging Face, whose clients ask over one host for models and git.
    private static func readsBearer(_ host: HostName) -> Bool {
        host.text.hasPrefix("api.") || ["huggingface.co", "hf.co"].contains(host.text)
            || host.text.hasSuffix("githubcopilot.com")
    }
}
