import Foundation
import TestSupport
import Testing

/// On forges a push must be seen to be refused, so git inside speaks HTTPS with them whatever an address says.
@Suite("SSH addresses of forges become HTTPS inside")
struct NetworkGitTests {
    private static let forge = "  forges: [files.example.test]\n"
    private static let clone = """
        : > done
        for address in git@files.example.test: ssh://git@files.example.test/ ssh://files.example.test/ \
            git://files.example.test/; do
            rm -rf copy && git clone -q "${address}files/work.git" copy && cat copy/a.txt >> done
        done
        rm -rf copy && cat done

        """

    @Test("git clones by them, with and without variables", arguments: TestIdentity.available)
    func clones(_ identity: TestIdentity) throws {
        let network = try NetworkYard(identity, extra: Self.forge)
        try network.makeRepository("work")
        try network.yard.write(Self.clone, to: "project/clone.sh")
        let script = "sh clone.sh; env -i HOME=\"$HOME\" PATH=\"$PATH\" sh clone.sh"
        let result = try network.inside(script)
        #expect(result.stdout == String(repeating: "cloned text\n", count: 8), "\(result.summary)")
        #expect(!result.stderr.contains("ACCESS DENIED"), "\(result.summary)")
        let push = try network.inside(
            """
            git clone -q git@files.example.test:files/work.git copy && cd copy && echo more >> a.txt &&
            git -c user.name=t -c user.email=t@example.test commit -qam more && git push -q origin HEAD
            echo "status $?"
            """
        )
        #expect(!push.stdout.contains("status 0"), "\(push.summary)")
        #expect((push.stdout + push.stderr).contains("Bailey refused this push"), "\(push.summary)")
    }

    @Test("a user's own settings of git stay, and git of another prefix is told by the home")
    func settings() throws {
        let network = try NetworkYard(extra: Self.forge)
        try network.makeRepository("work")
        let script = """
            git config --get test.word
            GIT_CONFIG_NOSYSTEM=1 git clone -q git@files.example.test:files/work.git one && cat one/a.txt
            HOME=/nowhere git clone -q git@files.example.test:files/work.git two && cat two/a.txt
            git config --get-all url.https://github.com/.insteadOf | sort -u
            """
        let mine = ["GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=test.word", "GIT_CONFIG_VALUE_0=mine"]
        let options = mine.flatMap { ["--env", $0] }
        let result = try network.yard.bailey(["run"] + options + ["--", "/bin/sh", "-c", script])
        let expected = """
            mine
            cloned text
            cloned text
            git://github.com/
            git@github.com:
            ssh://git@github.com/
            ssh://github.com/

            """
        #expect(result.stdout == expected, "\(result.summary)")
    }

    @Test("not where the operator lists port 22 of the host")
    func listed() throws {
        let upstream = "    - {host: files.example.test, port: 22, address: \"127.0.0.1:22\"}\n"
        let network = try NetworkYard(extra: upstream + Self.forge + "  allow: [\"github.com:22\"]\n")
        let result = try network.inside(
            """
            grep -c files.example.test /etc/gitconfig
            grep -c github.com /etc/gitconfig
            grep -c insteadOf.*git@gitlab.com: /etc/gitconfig
            """
        )
        #expect(result.stdout == "0\n0\n1\n", "\(result.summary)")
    }
}
