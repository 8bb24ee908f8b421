/// The files of this module's directories, which the program carries in itself.
enum BuiltIn {
    /// One file: read only when somebody asks for it, since a run should start at once.
    struct File: Sendable {
        let name: String
        let bytes: @Sendable () -> [UInt8]

        init(_ name: String, _ bytes: @escaping @Sendable @autoclosure () -> [UInt8]) {
            self.name = name
            self.bytes = bytes
        }
    }

    static let providers = [
        File("anthropic", PackageResources.anthropic_yml), File("deepseek", PackageResources.deepseek_yml),
        File("google", PackageResources.google_yml), File("groq", PackageResources.groq_yml),
        File("mistral", PackageResources.mistral_yml), File("openai", PackageResources.openai_yml),
        File("openrouter", PackageResources.openrouter_yml), File("xai", PackageResources.xai_yml),
    ]
}
