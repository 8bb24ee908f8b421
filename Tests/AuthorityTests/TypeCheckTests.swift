import Foundation
import TestSupport
import Testing

/// What the types promise is proved by what does not compile. Each snippet must fail for its own reason; the control
/// shows that the surroundings are not what fails.
@Suite("What must not be written does not compile", .enabled(if: TypeChecker.shared != nil, "no swiftc on PATH"))
struct TypeCheckTests {
    struct Snippet: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: String
        /// A part of the compiler's error.
        let reason: String
    }

    static let refused = [
        Snippet(
            testDescription: "a forged grant",
            code:
                """
                func f(_ g: GrantID, _ a: Action, _ d: Decision, _ h: Digest) {
                    _ = Grant(id: g, action: a, decision: d, digest: h, expiresNanoseconds: 0)
                }
                """,
            reason: "initializer is inaccessible due to 'fileprivate' protection level"
        ),
        Snippet(
            testDescription: "a grant used twice",
            code: """
                func f(_ grant: consuming Grant, _ time: any TimeSource) throws {
                    _ = try grant.redeem(at: time)
                    _ = try grant.redeem(at: time)
                }
                """,
            reason: "'grant' consumed more than once"
        ),
        Snippet(
            testDescription: "a grant used after it was given away",
            code: """
                func take(_ grant: consuming Grant) {}
                func f(_ grant: consuming Grant) -> Digest {
                    take(grant)
                    return grant.digest
                }
                """,
            reason: "'grant' used after consume"
        ),
        Snippet(
            testDescription: "grants in an array",
            code: "func f(_ grant: consuming Grant) { let all = [grant]; _ = all }",
            reason: "Copyable|noncopyable"
        ),
        Snippet(
            testDescription: "a grant in a closure that may run twice",
            code: """
                func f(_ grant: consuming Grant, _ time: any TimeSource) -> () throws -> Void {
                    { _ = try grant.redeem(at: time) }
                }
                """,
            reason: "noncopyable|consume|escaping closure"
        ),
        Snippet(
            testDescription: "raw text in a record's value",
            code: "func f(_ text: String) -> RecordValue { .text(text) }",
            reason: "cannot convert value of type 'String' to expected argument type 'Redacted'"
        ),
        Snippet(
            testDescription: "raw text in a record",
            code: "func f(_ text: String) -> Record { Record(.runFailed, [\"error\": text]) }",
            reason:
                "type 'String' to expected dictionary value type 'RecordValue'"
        ),
        Snippet(
            testDescription: "a literal in a record",
            code: "func f() -> Record { Record(.runFailed, [\"error\": \"raw\"]) }",
            reason:
                "type 'String' to expected dictionary value type 'RecordValue'"
        ),
        Snippet(
            testDescription: "redacted text made by hand",
            code: "func f(_ text: String) -> Redacted { Redacted(text: text) }",
            reason:
                "incorrect argument label|type 'String' to expected argument type 'StaticString'"
        ),
        Snippet(
            testDescription: "redacted text from a value",
            code: "func f(_ text: String) -> Redacted { Redacted(constant: text) }",
            reason: "cannot convert value of type 'String' to expected argument type 'StaticString'"
        ),
        Snippet(
            testDescription: "a sandbox without a grant",
            code: """
                func f(_ e: NativeEngine, _ action: Action, _ r: SandboxRequest, _ p: PreparedSandbox) throws {
                    _ = try e.run(action, r, p)
                }
                """,
            reason: "cannot convert value of type 'Action' to expected argument type 'Grant'"
        ),
        Snippet(
            testDescription: "an apply without a grant",
            code: """
                func f(_ apply: Apply, _ set: ChangeSet, _ plan: WorkspacePlan, _ time: any TimeSource) throws {
                    _ = try apply.perform(set, plan, time: time)
                }
                """,
            reason: "missing argument for parameter 'grant'"
        ),
        Snippet(
            testDescription: "an address that the guard did not check",
            code: "func f(_ address: IPAddress) -> CheckedAddress { CheckedAddress(address, 443) }",
            reason: "initializer is inaccessible due to 'fileprivate' protection level"
        ),
    ]

    static let control = """
        func redeem(_ grant: consuming Grant, _ time: any TimeSource) throws -> Action { try grant.redeem(at: time) }
        func look(_ grant: borrowing Grant) -> Digest { grant.digest }
        func record(_ redactor: Redactor, _ text: String) -> Record {
            Record(.runFailed, ["error": .text(redactor.redact(text)), "note": .text(Redacted(constant: "a constant"))])
        }
        func run(_ e: NativeEngine, _ grant: consuming Grant, _ r: SandboxRequest, _ p: PreparedSandbox) throws {
            _ = try e.run(grant, r, p)
        }
        func check(_ a: AddressGuard, _ answers: [IPAddress]) throws -> [CheckedAddress] {
            try a.check(answers, port: 443)
        }
        """

    @Test func theControlCompiles() throws {
        let result = try #require(TypeChecker.shared).check(Self.control)
        #expect(result.status == 0, "\(result.summary)")
    }

    @Test(arguments: refused) func refuses(_ snippet: Snippet) throws {
        let result = try #require(TypeChecker.shared).check(snippet.code)
        #expect(result.status != 0, "it compiles")
        let errors = (result.stdout + result.stderr).split(separator: "\n").filter { $0.contains("error: ") }
        let reasons = snippet.reason.split(separator: "|")
        #expect(!errors.isEmpty)
        for error in errors {
            #expect(reasons.contains { error.contains($0) }, "another reason: \(error)")
        }
    }
}

/// Runs the compiler's type checker over a snippet against the built modules.
struct TypeChecker: Sendable {
    /// Nil where there is no compiler.
    static let shared = TypeChecker()

    private let compiler: String
    private let modules: String
    private let checkout: String

    private init?() {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let candidates = path.split(separator: ":").map { String($0) + "/swiftc" }
        guard let compiler = candidates.first(where: { access($0, X_OK) == 0 }),
            let built = try? BuiltProducts.bailey()
        else { return nil }
        self.compiler = compiler
        modules = URL(fileURLWithPath: built).resolvingSymlinksInPath().deletingLastPathComponent().path + "/Modules"
        checkout =
            URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
            .standardizedFileURL
            .path
    }

    func check(_ code: String) throws -> ProcessResult {
        let place = try TemporaryDirectory("bailey-types")
        let modules = ["Authority", "Domain", "Egress", "Journal", "Redaction", "Sandbox", "Workspace"]
        let imports = modules.map { "import \($0)\n" }.joined()
        try place.write(imports + code + "\n", to: "snippet.swift")
        // Consumption is judged after type checking, so that the whole front half of the compiler has to run.
        return try ProcessRunner.run(
            compiler,
            arguments: [
                "-emit-sil", "-o", place.path + "/snippet.sil", "-parse-as-library", "-swift-version", "6",
                "-package-name",
                packageName, "-I", self.modules, "-module-cache-path", build + "/TypeCheckCache",
            ] + moduleMaps.flatMap { ["-Xcc", "-fmodule-map-file=" + $0] } + [place.path + "/snippet.swift"],
            timeoutSeconds: 300
        )
    }

    private var build: String { (modules as NSString).deletingLastPathComponent }

    /// The C modules that the built modules were made with: the product's own and those of its dependencies.
    private var moduleMaps: [String] {
        var scratch = build
        while scratch != "/", !FileManager.default.fileExists(atPath: scratch + "/checkouts") {
            scratch = (scratch as NSString).deletingLastPathComponent
        }
        let places =
            [
                (build, "build", "/module.modulemap"), (checkout + "/Sources", "", "/module.modulemap"),
            ]
            + names(scratch + "/checkouts").map {
                (scratch + "/checkouts/" + $0 + "/Sources", "", "/include/module.modulemap")
            }
        return places.flatMap { place, suffix, file in
            names(place).filter { suffix.isEmpty || $0.hasSuffix("." + suffix) }.map { place + "/" + $0 + file }
        }.filter { FileManager.default.fileExists(atPath: $0) }
    }

    private func names(_ directory: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
    }

    /// SwiftPM names the package by the checkout's directory.
    private var packageName: String {
        let name = (checkout as NSString).lastPathComponent.lowercased()
        return String(name.map { $0.isLetter || $0.isNumber ? $0 : "_" })
    }
}
