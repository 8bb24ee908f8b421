import TestSupport
import Testing

@Suite("compilers and runtimes of the system work behind the wall")
struct ToolchainCompilerTests {
    @Test("cc and make", .enabled(if: ToolchainYard.has("cc", "make")), arguments: TestIdentity.available)
    func buildsC(_ identity: TestIdentity) throws {
        let yard = try ToolchainYard(identity)
        try yard.write("#include <stdio.h>\nint main(void) { puts(\"made in C\"); return 3; }\n", to: "main.c")
        try yard.write("main: main.c\n\tcc -Wall -O2 -o main main.c\n", to: "Makefile")
        let result = try yard.inside("make -s && ./main")
        #expect(result.status == 3, "\(result.summary)")
        #expect(result.stdout == "made in C\n")
    }

    @Test("swift build", .enabled(if: ToolchainYard.has("swift")), arguments: TestIdentity.available)
    func buildsSwift(_ identity: TestIdentity) throws {
        let yard = try ToolchainYard(identity)
        let manifest = """
            // swift-tools-version: 6.0
            import PackageDescription
            let package = Package(name: "hello", targets: [.executableTarget(name: "hello")])
            """
        try yard.write(manifest + "\n", to: "Package.swift")
        try yard.write("print(\"made in Swift\")\n", to: "Sources/hello/main.swift")
        let result = try yard.inside("swift build >build.log 2>&1 || { cat build.log; exit 1; }; .build/debug/hello")
        #expect(result.status == 0, "\(result.summary)")
        #expect(result.stdout == "made in Swift\n")
    }

    @Test("javac and java", .enabled(if: ToolchainYard.has("javac", "java")), arguments: TestIdentity.available)
    func runsJava(_ identity: TestIdentity) throws {
        let yard = try ToolchainYard(identity)
        let source = "class Hello { public static void main(String[] words) { System.out.println(\"made in Java\"); } }"
        try yard.write(source + "\n", to: "Hello.java")
        let result = try yard.inside("javac Hello.java && java Hello")
        #expect(result.status == 0, "\(result.summary)")
        #expect(result.stdout == "made in Java\n")
    }

    @Test("node, with a worker and a child", .enabled(if: ToolchainYard.has("node")), arguments: TestIdentity.available)
    func runsNode(_ identity: TestIdentity) throws {
        let yard = try ToolchainYard(identity)
        let source = """
            const { Worker } = require("node:worker_threads");
            const { execFileSync } = require("node:child_process");
            const code = "require('node:worker_threads').parentPort.postMessage('worker')";
            const worker = new Worker(code, { eval: true });
            worker.on("message", (word) => console.log(word, execFileSync("echo", ["child"]).toString().trim()));
            """
        try yard.write(source + "\n", to: "main.js")
        let result = try yard.inside("node main.js")
        #expect(result.status == 0, "\(result.summary)")
        #expect(result.stdout == "worker child\n")
    }

    @Test("rustc of the system", .enabled(if: ToolchainYard.has("rustc", "cc")), arguments: TestIdentity.available)
    func buildsRust(_ identity: TestIdentity) throws {
        let yard = try ToolchainYard(identity)
        try yard.write("fn main() { println!(\"made in Rust\"); }\n", to: "main.rs")
        let result = try yard.inside("rustc main.rs && ./main")
        #expect(result.status == 0, "\(result.summary)")
        #expect(result.stdout == "made in Rust\n")
    }
}
