import Foundation
import TestSupport

/// A project with one of everything that a direct run must guard, and ordinary files beside it.
enum DirectYard {
    /// What the guarded places hold; hidden ones hold the secret, which is made anew for every yard.
    static func make(_ identity: TestIdentity, secret: String = "secret\(UInt64.random(in: 0 ... .max))") throws -> Yard
    {
        let yard = try Yard(identity)
        let made = try yard.outside(
            """
            git init -q -b main . && git config user.name tester && git config user.email tester@example.test
            mkdir -p src sub/deep .vscode .github/workflows pkg/hooks docs bare
            git init -q -b main sub && git init -q --bare bare/store && git init -q -b main docs/inner
            mv docs/inner/.git docs/store && printf 'gitdir: ../store\\n' > docs/inner/.git
            git config core.hooksPath pkg/hooks
            echo '#!/bin/sh' > pkg/hooks/pre-commit
            echo '{}' > .vscode/settings.json
            echo 'on: push' > .github/workflows/ci.yml
            echo 'read me' > AGENTS.md && ln -s AGENTS.md CLAUDE.md
            echo 'limits: {timeout: 5m}' > bailey.yml
            echo 'KEY=\(secret)' > .env && echo 'KEY=\(secret)' > sub/deep/.env
            mkdir -p sub/.ssh && echo '\(secret)' > sub/.ssh/id_rsa && ln -s ../src/named sub/.env.link
            echo one > src/one.txt && echo two > src/two.txt && echo named > src/named
            git add src && git commit -qm first --no-verify
            """
        )
        guard made.status == 0 else { throw YardError(made.summary) }
        // A first run makes .bailey, so that what comes later is told from what it does.
        let first = try yard.bailey(["run", "--", "true"])
        guard first.status == 0 else { throw YardError(first.summary) }
        return yard
    }

    /// Everything about the guarded places and the way to them: identity, kind, mode, owner, time, content.
    static let fingerprint = """
        for place in .git sub/.git bare/store docs/store docs/inner/.git .vscode .github/workflows pkg/hooks \
            AGENTS.md CLAUDE.md bailey.yml .env sub/deep/.env sub/.ssh sub/.env.link
        do
            way=$place
            while [ "$way" != . ]; do stat -c '%n %i %F' "$way"; way=$(dirname "$way"); done
            find "$place" -printf '%p %i %y %m %U %T@ %l\\n' | LC_ALL=C sort
            find "$place" -type f -exec sha256sum {} + | LC_ALL=C sort
        done 2>&1
        """

    static func fingerprint(_ yard: Yard, in directory: String? = nil) throws -> String {
        try yard.outside(fingerprint, in: directory).stdout
    }
}
