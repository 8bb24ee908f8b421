/// The well-known hosts of git repositories, with the hosts of their programming interfaces and downloads.
package enum KnownForges {
    /// True for the hosts and for all names below them.
    package static func contains(_ name: HostName) -> Bool {
        // AWS CodeCommit has a host in each region.
        if name.text.hasPrefix("git-codecommit"), name.text.hasSuffix(".amazonaws.com") { return true }
        return name.isAtOrBelow(all)
    }

    /// Names that repositories have SSH addresses with.
    package static let sshHosts = domains.union(["git.sr.ht", "git.launchpad.net", "git.savannah.gnu.org"])

    /// Hosts without SSH addresses by which repositories are written to: GitHub's tools for models, and where a push is
    /// a publication.
    private static let others: Set<String> = [
        "githubcopilot.com", "git.heroku.com", "git.overleaf.com", "scm.azurewebsites.net",
    ]

    private static let all = domains.union(others)

    private static let domains: Set<String> = [
        // GitHub, its interfaces, downloads, packages, and companies' own
        "github.com", "githubusercontent.com", "ghcr.io", "ghe.com",
        // GitLab and public instances of it
        "gitlab.com", "gitlab.gnome.org", "gitlab.freedesktop.org", "gitlab.kitware.com", "gitlab.inria.fr",
        "gitlab.archlinux.org", "gitlab.haskell.org", "salsa.debian.org", "invent.kde.org", "framagit.org",
        "0xacab.org",
        "code.videolan.org", "gitlab.torproject.org", "gitlab.alpinelinux.org", "gitlab.e.foundation",
        // Bitbucket, Azure, AWS, Google
        "bitbucket.org", "dev.azure.com", "visualstudio.com", "source.developers.google.com", "googlesource.com",
        "codecatalyst.aws",
        // Forgejo, Gitea and others
        "codeberg.org", "gitea.com", "gitee.com", "gitcode.com", "disroot.org", "notabug.org",
        "sr.ht", "repo.or.cz", "pagure.io", "src.fedoraproject.org", "launchpad.net", "savannah.gnu.org",
        "git.kernel.org",
        "opendev.org", "review.opendev.org", "gerrit.wikimedia.org", "sourceforge.net", "sf.net", "heptapod.net",
        "assembla.com",
        "beanstalkapp.com",
        "rocketgit.com", "radicle.xyz", "tangled.sh", "git.eclipse.org", "git.savannah.nongnu.org",
        "savannah.nongnu.org",
        "jihulab.com", "git.drupalcode.org", "git.apache.org", "gitbox.apache.org",
        // Models and data sets in git repositories
        "huggingface.co", "hf.co", "modelscope.cn",
    ]
}
