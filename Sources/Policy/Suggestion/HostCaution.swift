import Egress

/// What a person should know of a host before they list it: its name was chosen by whoever wanted to go there.
enum HostCaution {
    /// From so many names of one domain on, names may be what is sent.
    static let familyMax = 4
    private static let labelCharactersMax = 40
    private static let comparedCharactersMin = 6

    static func cautions(of candidate: Candidate, isForge: Bool, _ configuration: Configuration) -> [String] {
        let name = candidate.name
        var cautions: [String] = []
        if let known = likeness(of: name, configuration) {
            cautions.append("it is not \(known), though it reads like it")
        }
        if name.text.split(separator: ".").contains(where: { $0.hasPrefix("xn--") }) {
            cautions.append("a name with letters beyond ASCII, which can look like another")
        }
        if let domain = domain(of: name, in: receivers) {
            cautions.append("\(domain) takes what anybody sends and shows it to anybody: data can leave by it")
        }
        if let domain = domain(of: name, in: hosting) {
            cautions.append("anybody can have a name below \(domain): it does not say who answers")
        }
        if name.text.split(separator: ".").contains(where: { $0.count > labelCharactersMax }) {
            cautions.append("a name as long as this can carry data by itself")
        }
        if isForge {
            cautions.append(
                candidate.writesToForge
                    ? "it writes to a forge, with whatever token the command has: a push by another door"
                    : "a forge: fetching passes then, and anybody's repositories can be read"
            )
        }
        return cautions + reachCautions(candidate)
    }

    private static func reachCautions(_ candidate: Candidate) -> [String] {
        var cautions: [String] = []
        switch candidate.reach {
        case .host(true): cautions.append("only its name was asked for; 443 is a guess")
        case .requests(_, "/"): cautions.append("the root is every path of the host")
        case .host(false) where candidate.accesses.contains { $0.rule == "client-pins" }:
            cautions.append("the client wants not to be seen: its requests are then judged by nobody")
        case .host, .requests: break
        }
        switch candidate.target.port {
        case 80: cautions.append("what goes there is not encrypted")
        case 22: cautions.append("what goes through SSH is not seen, a push included")
        default: break
        }
        return cautions
    }

    /// The last two labels: whose names they are, most often.
    static func family(of name: HostName) -> String {
        name.text.split(separator: ".").suffix(2).joined(separator: ".")
    }

    /// The name that people know and that this one is made to look like.
    private static func likeness(of name: HostName, _ configuration: Configuration) -> String? {
        let listed: [String] = (configuration.network.allow ?? []).compactMap { rule in
            if case .exactly(let known) = rule.names { known.text } else { nil }
        }
        let plain = squashed(name.text)
        return (KnownForges.sshHosts.sorted() + known + listed).first { known in
            guard name.text != known, !name.text.hasSuffix("." + known) else { return false }
            let other = squashed(known)
            guard other.count >= comparedCharactersMin else { return false }
            return plain.contains(other) || NearestName.distance(family(of: name), known) == 1
        }
    }

    private static func squashed(_ text: String) -> String { text.filter { $0 != "." && $0 != "-" && $0 != "_" } }

    private static func domain(of name: HostName, in domains: Set<String>) -> String? {
        var rest = name.text[...]
        while true {
            if domains.contains(String(rest)) { return String(rest) }
            guard let dot = rest.firstIndex(of: ".") else { return nil }
            rest = rest[rest.index(after: dot)...]
        }
    }

    private static func words(_ text: String) -> Set<String> {
        Set(text.split { $0 == " " || $0 == "\n" }.map(String.init))
    }

    private static let known = [
        "anthropic.com", "api.anthropic.com", "openai.com", "api.openai.com", "googleapis.com",
        "generativelanguage.googleapis.com", "microsoft.com", "cloudflare.com",
    ]

    /// Pastes, drops of files, catchers of requests, tunnels, and messengers that any program can write to.
    private static let receivers = words(
        """
        pastebin.com paste.ee paste.rs ix.io sprunge.us termbin.com hastebin.com dpaste.com dpaste.org rentry.co
        ghostbin.com privatebin.net controlc.com 0x0.st file.io transfer.sh catbox.moe gofile.io anonfiles.com
        temp.sh bashupload.com oshi.at wetransfer.com tmpfiles.org uguu.se pixeldrain.com
        webhook.site requestbin.com requestbin.net pipedream.net beeceptor.com requestcatcher.com hookb.in
        oast.fun oast.live oast.pro oast.site oast.online oast.me interact.sh burpcollaborator.net canarytokens.com
        ngrok.io ngrok.app ngrok-free.app ngrok-free.dev trycloudflare.com loca.lt localhost.run serveo.net
        telebit.cloud bore.pub pagekite.me tunnelmole.net
        api.telegram.org discord.com discordapp.com hooks.slack.com maker.ifttt.com ntfy.sh
        """
    )

    /// Below these anybody gets a name for the asking.
    private static let hosting = words(
        """
        github.io gitlab.io pages.dev workers.dev r2.dev vercel.app netlify.app herokuapp.com web.app firebaseapp.com
        firebaseio.com appspot.com run.app cloudfunctions.net cloudfront.net s3.amazonaws.com amazonaws.com
        azurewebsites.net azureedge.net blob.core.windows.net onrender.com fly.dev railway.app deno.dev surge.sh
        glitch.me replit.app replit.dev repl.co blogspot.com wordpress.com duckdns.org no-ip.org ddns.net dynu.net
        nip.io sslip.io hf.space digitaloceanspaces.com backblazeb2.com storage.googleapis.com
        """
    )
}
