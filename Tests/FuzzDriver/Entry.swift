import FuzzTargets
import Glibc

/// What libFuzzer calls. `BAILEY_FUZZ_TARGET` names the target; its seeds are put into the directory
/// `BAILEY_FUZZ_SEEDS`, which is then given as the corpus.
private enum Entry {
    static let target: FuzzTarget = {
        let name = getenv("BAILEY_FUZZ_TARGET").map { String(cString: $0) } ?? ""
        guard let target = FuzzTarget.named(name) else {
            stop("BAILEY_FUZZ_TARGET names no target; there are: \(FuzzTarget.all.map(\.name).joined(separator: " "))")
        }
        return target
    }()

    nonisolated(unsafe) static let check: FuzzTarget.Check = {
        do {
            return try target.prepare()
        } catch {
            stop("\(target.name) cannot be prepared: \(error)")
        }
    }()

    static func writeSeeds() {
        guard let directory = getenv("BAILEY_FUZZ_SEEDS").map({ String(cString: $0) }) else { return }
        do {
            for (number, seed) in try target.seeds().enumerated() {
                guard let file = fopen("\(directory)/seed-\(number)", "w") else { stop("\(directory) takes no seeds") }
                _ = fwrite(seed, 1, seed.count, file)
                fclose(file)
            }
        } catch {
            stop("\(target.name) has no seeds: \(error)")
        }
    }

    static func stop(_ reason: String) -> Never {
        fputs("fuzz: \(reason)\n", stderr)
        exit(2)
    }
}

/// Called once, before libFuzzer reads its corpus.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutableRawPointer?, _ arguments: UnsafeMutableRawPointer?) -> Int32 {
    Entry.writeSeeds()
    return 0
}

/// Called for each input; -1 keeps one that is too long out of the corpus. A broken promise ends the process, so that
/// libFuzzer keeps the input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafeRawPointer?, _ count: Int) -> Int32 {
    guard count <= Entry.target.bytesMax else { return -1 }
    do {
        try Entry.check(Array(UnsafeRawBufferPointer(start: start, count: count)))
    } catch {
        fatalError("\(Entry.target.name): \(error)")
    }
    return 0
}
