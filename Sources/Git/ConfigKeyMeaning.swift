/// What a configuration key's value means to git.
enum ConfigKeyMeaning {
    case path, hooks, include, command
    /// A command if its first word names an executable file.
    case executable

    init?(_ entry: GitConfigFile.Entry) {
        let name = entry.section + "." + entry.key
        switch name {
        case "core.hookspath", "init.templatedir": self = .hooks
        case "core.attributesfile": self = .path
        case "include.path", "includeif.path": self = .include
        // An alias without `!` is a git command.
        case _ where entry.section == "alias":
            guard entry.value?.hasPrefix("!") == true else { return nil }
            self = .command
        case _ where Self.commands.contains(name) || entry.section == "pager": self = .command
        // Git has more keys than this table: what looks like a command counts as one.
        case _ where Self.data.contains(name) || Self.dataKeys.contains(entry.key):
            return nil
        default:
            guard let value = entry.value else { return nil }
            let isCommand = ["./", "../", "!"].contains { value.hasPrefix($0) }
            self = isCommand ? .command : .executable
        }
    }

    /// Keys that name a place and run nothing there, and whose values may begin as a command's.
    private static let data: Set<String> = [
        "core.worktree", "core.excludesfile", "commit.template", "branch.remote", "branch.pushremote", "branch.merge",
        "safe.directory", "gpg.allowedsignersfile", "blame.ignorerevsfile", "mailmap.file", "submodule.path",
    ]
    /// The same in any section.
    private static let dataKeys: Set<String> = ["url", "pushurl", "insteadof", "pushinsteadof", "description"]

    private static let commands: Set<String> = [
        "core.fsmonitor", "core.sshcommand", "core.editor", "core.pager", "core.askpass", "core.gitproxy",
        "core.alternaterefscommand", "sequence.editor", "diff.external", "diff.command", "diff.textconv",
        "merge.driver",
        "filter.clean", "filter.smudge", "filter.process", "credential.helper", "gpg.program", "gpg.defaultkeycommand",
        "difftool.cmd", "difftool.path", "mergetool.cmd", "mergetool.path", "interactive.difffilter",
        "uploadpack.packobjectshook", "trailer.command", "trailer.cmd", "web.browser", "browser.cmd", "browser.path",
        "man.cmd",
        "man.path", "hook.command", "remote.uploadpack", "remote.receivepack", "remote.vcs", "submodule.update",
        "guitool.cmd",
        "imap.tunnel", "gc.recentobjectshook", "sendemail.headercmd", "instaweb.httpd", "instaweb.browser",
        "help.browser", "sendemail.sendmailcmd", "sendemail.smtpserver", "sendemail.tocmd", "sendemail.cccmd",
        "tar.command",
        "lfs.customtransfer", "annex.externaltool",
    ]
}
