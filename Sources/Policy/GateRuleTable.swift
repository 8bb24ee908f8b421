import Domain

/// The commit gate's rules as data. Later rules do not override earlier ones: the strongest that matches wins.
enum GateRuleTable {
    static let properties: [GateRule] = [
        GateRule("foreign-tree", .deny, .foreignTree, "nothing outside the project is changed by name rules alone"),
        GateRule("unreadable-name", .deny, .unreadableName, "the name is not valid UTF-8, so that it cannot be shown"),
        GateRule(
            "deceptive-name",
            .deny,
            .deceptiveName,
            "the name holds control, bidirectional or invisible characters, so that it looks like another"
        ),
        GateRule("device-node", .deny, .device, "device nodes reach hardware and kernel"),
        GateRule("set-id-bit", .deny, .setID, "whoever runs the file becomes its owner or group"),
        GateRule(
            "link-leaves-project",
            .deny,
            .leavingLink,
            "a program that follows the link would read or write outside the project"
        ),
        GateRule(
            "link-to-protected",
            .deny,
            .protectedLink,
            "a program that follows the link would change git's or Bailey's own files"
        ),
        GateRule(
            "link-to-hidden",
            .ask,
            .hiddenLink,
            "a program outside that follows the link would show a secret that the command could not see"
        ),
        GateRule(
            "shut-project",
            .deny,
            .shutProject,
            "neither its owner nor Bailey could work in the project any more"
        ),
        GateRule(
            "secret-file",
            .ask,
            .secretName,
            "programs take passwords, keys or servers from it; a command has no business with them"
        ),
        GateRule("option-name", .ask, .optionName, "a command that is given `*` takes the name for an option"),
        GateRule("link-to-system", .note, .systemLink, "the link points into the read-only system or a toolchain"),
        GateRule("shut-directory", .note, .shutDirectory, "its owner has to change its mode before working in it"),
        GateRule("set-gid-directory", .note, .setGroupDirectory, "files made in it take the directory's group"),
        GateRule("world-writable", .note, .worldWritable, "every user of the machine may change it"),
        GateRule("new-executable", .note, .newExecutable, "it can be run as a program from now on"),
        GateRule("backslash-name", .note, .backslashName, "the backslash separates directories on other systems"),
        GateRule("dropped", .note, .dropped, "FIFOs and sockets are not brought into the project"),
    ]

    static let paths: [GateRule] =
        GateRule.paths("bailey-directory", .deny, "Bailey's own records", [".bailey/**"])
        + GateRule.paths(
            "git-directory",
            .deny,
            "git's own files are judged by what git would do with them",
            [".git/**"]
        )
        + GateRule.paths("bailey-policy", .deny, "the project's own policy is changed by people only", ["/bailey.yml"])
        + GateRule.paths("nested-bailey-policy", .ask, "a policy for runs that start below", ["bailey.yml"])
        + GateRule.paths("agent-settings", .ask, "agents take instructions and commands from it", agentSettings)
        + GateRule.paths("editor-settings", .ask, "editors run commands from it", editorSettings)
        + GateRule.paths(
            "shell-start",
            .ask,
            "shells and tools run it when they start or enter the directory",
            shellStart
        )
        + GateRule.paths(
            "program-start",
            .ask,
            "an interpreter, debugger or editor runs it when it starts in the directory",
            programStart
        )
        + GateRule.paths(
            "python-start",
            .ask,
            "Python runs it whenever it starts; in an environment that the same run made it is only noted",
            ["sitecustomize.py", "usercustomize.py", "*.pth"]
        )
        + GateRule.paths(
            "credential-settings",
            .ask,
            "it says where a program sends passwords or takes packages from",
            credentialSettings
        )
        + GateRule.paths("git-settings", .ask, "git runs filters, hooks or downloads by it", gitSettings)
        + GateRule.paths("ci-settings", .ask, "build servers run it with the project's credentials", ciSettings)
        + GateRule.paths(
            "container-settings",
            .ask,
            "it decides what runs in a container and what that sees",
            containers
        )
        + GateRule.paths(
            "runs-later",
            .note,
            "build tools, package managers or test runners run it later",
            buildScripts
        )

    private static let agentSettings: [StaticString] = [
        ".claude/**", ".claude.json", "claude.md", "claude.local.md", ".codex/**", "agents.md", "agents.override.md",
        "agent.md", ".agents/**", ".agent/**", ".mcp.json", "mcp.json", ".mcp/**", ".cursor/**", ".cursorrules",
        ".cursorignore", ".gemini/**", "gemini.md", ".geminiignore", ".qwen/**", "qwen.md", ".copilot/**",
        ".github/copilot-instructions.md", ".github/instructions/**", ".github/prompts/**", ".github/chatmodes/**",
        ".github/agents/**", ".github/hooks/**", ".windsurf/**", ".windsurfrules", ".codeium/**", ".cline/**",
        ".clinerules/**", ".roo/**", ".roorules*", ".roomodes", ".kilocode/**", ".kilocodemodes", ".continue/**",
        ".continuerules", ".aider*", ".goose/**", ".goosehints", ".junie/**", ".kiro/**", ".trae/**", ".augment/**",
        ".augment-guidelines", ".amazonq/**", ".opencode/**", "opencode.json*", ".crush/**", "crush.json",
        ".crush.json",
        ".amp/**", ".factory/**", "warp.md", ".warp/**", ".openhands/**", ".openhands_instructions", ".devin/**",
        ".rules",
        "skill.md", ".skills/**", ".pi/**", ".letta/**", ".serena/**", ".superset/**",
    ]

    private static let editorSettings: [StaticString] = [
        ".vscode/**", "*.code-workspace", ".vscode-test*", ".idea/**", ".run/**", "*.iml", "*.ipr", "*.iws",
        ".fleet/**",
        ".zed/**", ".helix/**", ".nova/**", ".vs/**", "*.sublime-project", "*.sublime-workspace", "*.sublime-settings",
        ".project", ".externaltoolbuilders/**", ".settings/**", ".dir-locals*.el", ".projectile", ".vimrc",
        ".gvimrc", "_vimrc", ".exrc", ".nvimrc", ".nvim.lua", ".lvimrc", ".local.vimrc", ".vim/**", ".editorrc",
        ".kateproject",
        ".kateconfig", ".emacs", ".emacs.d/**", ".theia/**", ".gdbinit", ".lldbinit", ".gdb/**", ".spacemacs",
        ".neoconf.json",
    ]

    private static let shellStart: [StaticString] = [
        ".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".bash_aliases", ".profile", ".zshrc", ".zshenv",
        ".zprofile", ".zlogin", ".zlogout", ".kshrc", ".mkshrc", ".cshrc", ".tcshrc", ".login", ".logout", ".inputrc",
        ".config/fish/**", "config.fish", ".envrc", ".direnv/**", ".direnvrc", ".direnv.toml", ".autoenv*",
        ".mise.toml", "mise.toml", ".mise.*.toml", "mise.*.toml", ".mise/**", ".config/mise/**", ".config/mise.toml",
        ".rtx.toml", "devenv.nix", ".envrc.*", ".tmux.conf", ".screenrc", ".irbrc", ".pryrc", ".rprofile", ".renviron",
        ".pythonrc", ".pythonstartup", ".pdbrc", ".ipython/**", ".sqliterc", ".psqlrc", ".octaverc", ".ghci",
        ".xinitrc",
        ".xprofile", ".xsession", ".xsessionrc", ".ssh/**", ".config/systemd/**", ".config/autostart/**", ".perldb",
        ".powershell/**", "microsoft.powershell_profile.ps1", ".nixpkgs/**", ".wgetrc", ".curlrc", "_curlrc",
    ]

    private static let programStart: [StaticString] = [
        ".rdata", ".pnp.cjs", ".pnp.js", ".pnp.loader.*", ".ocamlinit", ".sbclrc", ".clisprc*", ".eclrc", ".guile",
        ".iex.exs", ".erlang", ".gnuplot", "session.vim", "startup.m", "finish.m", ".gdbinit.*", ".lldbinit-*",
    ]

    private static let credentialSettings: [StaticString] = [
        ".aws/**", ".kube/**", ".gnupg/**", ".docker/**", "pip.conf", "pip.ini", ".config/pip/**", ".condarc",
    ]

    private static let gitSettings: [StaticString] = [
        ".gitattributes", ".gitmodules", ".gitconfig", ".gitconfig.*", ".lfsconfig", ".husky/**", ".githooks/**",
        ".git-hooks/**", "githooks/**", ".hooks/**", ".pre-commit-config.yaml", ".pre-commit-config.yml",
        ".pre-commit-hooks.yaml", "lefthook.yml", "lefthook.yaml", "lefthook.toml", "lefthook.json", ".lefthook*",
        "lefthook-local.*", ".lefthook/**", ".overcommit.yml", ".simple-git-hooks*", "simple-git-hooks.*", ".huskyrc*",
        ".lintstagedrc*", "lint-staged.config.*", ".hg/**", ".hgrc", ".hgsub", ".hgsubstate", ".svn/**", ".bzr/**",
        ".jj/**",
        ".sl/**", ".pijul/**", "_darcs/**", ".fossil-settings/**", ".gitreview",
    ]

    private static let ciSettings: [StaticString] = [
        ".github/workflows/**", ".github/actions/**", ".github/dependabot.y*", ".github/renovate.json*", "codeowners",
        "/action.yml", "/action.yaml", ".gitlab-ci.y*", "*.gitlab-ci.yml", ".gitlab/**", ".circleci/**", "jenkinsfile*",
        "*.jenkinsfile", ".jenkins/**", "azure-pipelines*.yml", "azure-pipelines*.yaml", ".azure-pipelines/**",
        ".azuredevops/**", ".pipelines/**", ".travis.y*", ".travis/**", ".buildkite/**", ".drone.*", ".woodpecker/**",
        ".woodpecker.y*", "appveyor.y*", ".appveyor.y*", "bitbucket-pipelines.y*", "cloudbuild.*", ".semaphore/**",
        ".teamcity/**", ".cirrus.*", ".forgejo/**", ".gitea/**", "buildspec*.yml", "buildspec*.yaml", "wercker.yml",
        "codemagic.yaml", "bitrise.yml", ".builds/**", ".build.yml", ".onedev-buildspec.yml", ".harness/**",
        ".tekton/**",
        ".concourse/**", ".evergreen.yml", ".zuul.d/**", ".zuul.yaml", ".prow/**", ".prow.yaml", ".ci/**",
        ".goreleaser*",
        ".readthedocs.y*", "renovate.json*", ".renovaterc*", ".mergify.yml", ".releaserc*",
    ]

    private static let containers: [StaticString] = [
        ".devcontainer/**", ".devcontainer.json", ".gitpod.y*", ".gitpod.dockerfile", ".replit", "replit.nix",
        ".ona/**",
        "dockerfile*", "*.dockerfile", "containerfile*", "docker-compose*.yml", "docker-compose*.yaml", "compose.yml",
        "compose.yaml", "compose.*.yml", "compose.*.yaml", "docker-bake.*", "vagrantfile", "skaffold.yaml", "tiltfile",
    ]

    private static let buildScripts: [StaticString] = [
        "makefile*", "gnumakefile", "*.mk", "*.mak", "makefile.am", "configure", "configure.ac", "autogen.sh",
        "bootstrap.sh",
        "cmakelists.txt", "*.cmake", "cmakepresets.json", "cmakeuserpresets.json", "meson.build", "build.ninja",
        "sconstruct",
        "sconscript", "wscript", "build", "build.bazel", "workspace", "workspace.bazel", "module.bazel", "*.bzl",
        ".bazelrc", ".bazelversion", "buck", "package.json", "package-lock.json", "yarn.lock", "pnpm-lock.yaml",
        "bun.lock*", ".yarnrc", ".yarnrc.yml", ".yarn/releases/**", ".yarn/plugins/**", ".pnpmfile.*",
        "pnpm-workspace.yaml",
        "binding.gyp", "bunfig.toml", "deno.json*", "node_modules/.bin/**", "*.config.js", "*.config.ts",
        "*.config.mjs",
        "*.config.cjs", "*.config.mts", "*.config.cts", "gulpfile*", "gruntfile*", "jakefile*", ".eslintrc*",
        ".prettierrc*", ".babelrc*", ".mocharc*", "setup.py", "setup.cfg", "pyproject.toml", "pipfile",
        "requirements*.txt",
        "conftest.py", "tox.ini", "noxfile.py", "pytest.ini", ".pytest.ini", "pytest.toml", "tasks.py", "fabfile.py",
        "dodo.py", "sconstruct.py", "manage.py", ".pylintrc",
        "mypy.ini", "bin/activate*", "scripts/activate*", "bin/python*", "pyvenv.cfg", "build.rs", "cargo.toml",
        "cargo.lock",
        ".cargo/config", ".cargo/config.toml", "rust-toolchain", "rust-toolchain.toml", "package.swift",
        "package.resolved", "go.mod", "go.work", "magefile.go", "build.gradle*", "settings.gradle*",
        "gradle.properties",
        "init.gradle*", "gradlew*", "gradle/wrapper/**", "buildsrc/**", "pom.xml", "mvnw*", ".mvn/**", "build.sbt",
        "project/plugins.sbt", "build.sc", "build.mill", "build.xml", "ivy.xml", "project.clj", "deps.edn", "rakefile*",
        "*.rake", "gemfile*", "*.gemspec", "guardfile", "capfile", "fastfile", ".rspec", "composer.json",
        "composer.lock",
        "artisan", "mix.exs", "rebar.config*", "dune", "dune-project", "*.opam", "stack.yaml", "*.cabal", "setup.hs",
        "cabal.project*", "*.csproj", "*.fsproj", "*.vbproj", "*.vcxproj", "*.sln", "*.slnx", "directory.build.*",
        "directory.packages.props", "*.targets", "nuget.config", "global.json", "build.zig", "build.zig.zon",
        "justfile*",
        ".justfile", "*.just", "taskfile.y*", "taskfile.dist.y*", "procfile*", "earthfile", "pants.toml", "dagger.json",
        "flake.nix", "shell.nix", "default.nix", ".tool-versions", ".nvmrc", ".node-version", ".python-version",
        ".ruby-version", ".java-version", ".sdkmanrc", ".swift-version", "makefile.pl", "build.pl", "install.sh",
        "turbo.json", "nx.json", "lerna.json", "rush.json", ".sbtopts", ".jvmopts", "gradle.lockfile", "playbook.yml",
        ".clangd", "compile_commands.json", "compile_flags.txt", ".sourcekit-lsp/**", ".luarc.json*", ".r/makevars*",
        "terraform.rc", "tsconfig*.json", "jsconfig.json", "phpunit.xml*", "jupyter_*config.py", ".stylelintrc*",
        "ansible.cfg", "terragrunt.hcl", "*.tf", "serverless.yml", "pulumi.yaml", "wrangler.toml",
    ]
}
