import Testing

/// What the product's Swift may not do.
extension Rule {
    static let safety: [Rule] = [noForce, noUnchecked, noPrint]

    private static let forced = Pattern(#"[A-Za-z0-9_)\]}"?]!(?!=)"#)

    private static let noForce = Rule(
        name: "nothing is forced: no try!, no as!, no force unwrap",
        appliesTo: { $0.isProductSwift },
        check: { file in
            file.code.enumerated().filter { forced.matches($0.element) }.map {
                file.finding($0.offset + 1, "a forced operation; say what happens when it fails")
            }
        },
        refuses: [
            Sample("let a = try! f()"), Sample("let a = b as! C"), Sample("let a = b!"), Sample("let a = f()!.c"),
            Sample("let a = b[0]!"), Sample("var a: Int!"), Sample(#"let a = "\(b!)""#),
        ],
        accepts: [
            Sample("if !a, b != c { }"), Sample("let a = \"stop!\" // now!"), Sample("let a = (!b)"),
            Sample("let a = try! f()", path: "Tests/DomainTests/Sample.swift"),
        ]
    )

    private static let uncheckedWords = ["@unchecked Sendable", "nonisolated(unsafe)"]

    private static let noUnchecked = Rule(
        name: "concurrency is checked, but for what the list allows",
        appliesTo: { $0.isProductSwift },
        check: { file in
            uncheckedWords.flatMap { word in
                file.code.enumerated().compactMap { offset, line in
                    line.contains(word) && !AllowList.allows(AllowList.unchecked, file, word)
                        ? file.finding(offset + 1, "\(word) needs an entry with a reason in AllowList.swift") : nil
                }
            }
        },
        refuses: [
            Sample("final class A: @unchecked Sendable {}"), Sample("nonisolated(unsafe) var a = 1"),
        ],
        accepts: [Sample("final class A: Sendable {}"), Sample("/// Not @unchecked Sendable.")]
    )

    private static let printing = Pattern(#"(^|[^A-Za-z0-9_.])(print|debugPrint|dump)\("#)

    private static let noPrint = Rule(
        name: "only the command line's output writes to standard output",
        appliesTo: { $0.isProductSwift },
        check: { file in
            guard !AllowList.printing.contains(where: { $0.path == file.path }) else { return [] }
            return file.code.enumerated().filter { printing.matches($0.element) }.map {
                file.finding($0.offset + 1, "print: results go through the command line's output type")
            }
        },
        refuses: [Sample("print(a)"), Sample("    dump(a)")],
        accepts: [Sample("fingerprint(a)"), Sample("output.print(a)"), Sample(#"f("print(a)")"#)]
    )
}
