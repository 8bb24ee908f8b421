import TestSupport
import Testing

@Suite("Python works behind the wall, with an environment in the project")
struct ToolchainPythonTests {
    /// Whether the system's Python brings what makes environments.
    private static let hasEnvironments: Bool = {
        let result = try? ProcessRunner.run("/usr/bin/python3", arguments: ["-c", "import ensurepip, venv"])
        return result?.status == 0
    }()

    /// Writes a wheel by hand: three files in a zip, the last of which lists the others.
    private static let wheelMaker = """
        import zipfile
        with zipfile.ZipFile("shout-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr("shout.py", "def shout(text):\\n    return text.upper()\\n")
            info = "shout-1.0.dist-info/"
            wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: shout\\nVersion: 1.0\\n")
            wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
            names = ["shout.py", info + "METADATA", info + "WHEEL", info + "RECORD"]
            wheel.writestr(info + "RECORD", "".join(name + ",,\\n" for name in names))
        """

    @Test("pip installs a local wheel", .enabled(if: hasEnvironments), arguments: TestIdentity.available)
    func installsWheel(_ identity: TestIdentity) throws {
        let yard = try ToolchainYard(identity)
        try yard.write(Self.wheelMaker, to: "make_wheel.py")
        let script =
            "/usr/bin/python3 make_wheel.py && /usr/bin/python3 -m venv .venv && "
            + ".venv/bin/pip install --quiet --no-index ./shout-1.0-py3-none-any.whl && "
            + ".venv/bin/python -c 'import shout, sys; print(shout.shout(\"made\"), sys.prefix)'"
        let result = try yard.bailey(["run", "--apply", "auto", "--", "/bin/sh", "-c", script], timeoutSeconds: 150)
        #expect(result.status == 0, "\(result.summary)")
        #expect(result.stdout == "MADE \(yard.project)/.venv\n")
        // The environment's links into the system are pointed out and do not hold the set: it works outside now.
        let after = try yard.outside(".venv/bin/python -c 'import shout; print(shout.shout(\"outside\"))'")
        #expect(after.stdout == "OUTSIDE\n", "\(result.summary)\n\(after.summary)")
    }

    @Test("processes, threads and temporary files of the standard library", arguments: TestIdentity.available)
    func usesLibrary(_ identity: TestIdentity) throws {
        let yard = try ToolchainYard(identity)
        let source = """
            import concurrent.futures, os, socket, sqlite3, subprocess, tempfile, threading
            if __name__ == "__main__":
                with concurrent.futures.ProcessPoolExecutor(2) as pool:
                    print(list(pool.map(abs, [-1, -2])))
                with tempfile.NamedTemporaryFile() as file:
                    print(os.path.dirname(file.name))
                with socket.create_server(("127.0.0.1", 0)) as server:
                    client = socket.create_connection(server.getsockname())
                    print("loopback")
                database = sqlite3.connect("data.db")
                database.execute("create table t (a)")
                database.execute("insert into t values (7)")
                database.commit()
                print(database.execute("select a from t").fetchall())
            """
        try yard.write(source + "\n", to: "main.py")
        let result = try yard.inside("/usr/bin/python3 main.py")
        #expect(result.status == 0, "\(result.summary)")
        #expect(result.stdout == "[1, 2]\n/tmp\nloopback\n[(7,)]\n")
    }
}
