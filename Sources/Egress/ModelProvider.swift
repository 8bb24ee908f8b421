/// How requests to a model are written.
package enum ModelDialect: String, Sendable, Hashable, CaseIterable {
    /// Anthropic's Messages.
    case messages
    /// OpenAI's Chat Completions, and what others made like it.
    case chat
    /// OpenAI's Responses.
    case responses

    /// Members that limit how long an answer may be, the one to write first.
    package var limitNames: [String] {
        switch self {
        case .messages: ["max_tokens"]
        case .chat: ["max_completion_tokens", "max_tokens"]
        case .responses: ["max_output_tokens"]
        }
    }
}

/// A service that runs models: where it is, what is billed there, and at which prices.
package struct ModelProvider: Sendable, Hashable {
    /// A path that is billed, as it is written in requests, and what is spoken there.
    package struct Endpoint: Sendable, Hashable {
        package let path: String
        package let dialect: ModelDialect

        package init(path: String, dialect: ModelDialect) {
            self.path = path
            self.dialect = dialect
        }
    }

    /// What tokens of a model cost: millionths of a dollar for a million tokens.
    package struct Price: Sendable, Hashable {
        /// A model's name, which stands for the name with a date or `-latest` behind it too; or a beginning with `*`
        /// behind it, for all that begin so.
        package let model: String
        /// It counts for requests that read more tokens than this.
        package var above: UInt64
        package var input: UInt64
        package var cacheRead: UInt64
        package var cacheWrite: UInt64
        /// Kept for an hour.
        package var longCacheWrite: UInt64
        package var output: UInt64

        package init(
            model: String,
            above: UInt64 = 0,
            input: UInt64,
            cacheRead: UInt64,
            cacheWrite: UInt64,
            longCacheWrite: UInt64,
            output: UInt64
        ) {
            self.model = model
            self.above = above
            self.input = input
            self.cacheRead = cacheRead
            self.cacheWrite = cacheWrite
            self.longCacheWrite = longCacheWrite
            self.output = output
        }
    }

    package let name: String
    package var host: HostName
    package var port: UInt16
    package var endpoints: [Endpoint]
    /// Fields in which a caller's own credentials could come; none of them is passed on.
    package var credentialFields: [String]
    package var prices: [Price]
    /// Names of the limits of an answer that the service heeds, of those that its dialects have; nil for all of them.
    package var limitNames: [String]?
    /// It finishes an answer, and bills it, when the client has left.
    package var finishesAlone: Bool
    /// It runs models of others at their prices, so that no price that is known bounds one that is not.
    package var isReseller: Bool
    /// The port inside on which it can be had over plain HTTP; nil where only its own name leads to it.
    package var gatewayPort: UInt16?

    package init(
        name: String,
        host: HostName,
        port: UInt16 = 443,
        endpoints: [Endpoint],
        credentialFields: [String],
        prices: [Price],
        limitNames: [String]? = nil,
        finishesAlone: Bool = false,
        isReseller: Bool = false,
        gatewayPort: UInt16?
    ) {
        self.name = name
        self.host = host
        self.port = port
        self.endpoints = endpoints
        self.credentialFields = credentialFields
        self.prices = prices
        self.limitNames = limitNames
        self.finishesAlone = finishesAlone
        self.isReseller = isReseller
        self.gatewayPort = gatewayPort
    }
}

/// How models may be used by one run.
package struct ModelRules: Sendable, Hashable {
    /// Names of models, each with `*` at its end for all that begin so; nil for every model.
    package var models: [String]?
    /// Tokens of all requests together, read and written; nil without a limit.
    package var tokensMax: UInt64?
    /// Millionths of a dollar of all requests together; nil without a limit.
    package var microdollarsMax: UInt64?
    /// What requests may have a service do beside answering, where tokens or money are limited.
    package var extras: [Extra]

    /// Something that a service does or reads for a request beside what stands in it.
    package struct Extra: Sendable, Hashable {
        /// A tool's type, a member of the request, or what else names it there.
        package let name: String
        /// What is set aside for it in each request.
        package let tokens: UInt64
        package let microdollars: UInt64

        package init(name: String, tokens: UInt64, microdollars: UInt64) {
            self.name = name
            self.tokens = tokens
            self.microdollars = microdollars
        }
    }

    package init(
        models: [String]? = nil,
        tokensMax: UInt64? = nil,
        microdollarsMax: UInt64? = nil,
        extras: [Extra] = []
    ) {
        self.models = models
        self.tokensMax = tokensMax
        self.microdollarsMax = microdollarsMax
        self.extras = extras
    }
}
