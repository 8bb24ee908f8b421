import Egress
import Glibc

/// Texts that are looked for, all at once: Wu and Manber's way (1994), which looks at two bytes and skips as many as it
/// can. Whatever follows from the texts lies in memory of its own, because it is as secret as they are.
package final class NeedleSet: Sendable {
    /// Places of the table, each for pairs of bytes.
    private static let places = 4096
    /// Behind the table: which bytes a text begins with.
    private static let firsts = 256
    private static let textsStart = places + firsts
    /// How much of each text the table speaks of; a skip fits into a byte.
    private static let windowMax = 128
    /// Spellings that are shorter stand everywhere by chance.
    package static let spellingBytesMin = 8

    /// Where one text lies in the memory.
    private struct Needle: Sendable {
        let start: Int
        /// Bytes that are compared.
        let count: Int
        /// Bytes of a match; more than are compared where the text is a placeholder's mark.
        let matchCount: Int
    }

    private let memory: SecretMemory
    private let needles: [Needle]
    private let window: Int
    /// No match is longer.
    package let countMax: Int

    /// - Parameters:
    ///   - texts: each is looked for in all its spellings of at least eight bytes.
    ///   - seesPlaceholders: looks for any Bailey's placeholders besides, by their cores.
    package init(
        _ texts: [UnsafeRawBufferPointer],
        seesPlaceholders: Bool = false
    ) throws(SecretMemory.Failure) {
        let mark = seesPlaceholders ? Placeholder.mark : []
        var needles: [Needle] = []
        let room = Self.textsStart + texts.map(Self.room).reduce(0, +) + mark.count
        var window = Self.windowMax
        memory = try SecretMemory(count: room) { memory in
            var end = Self.textsStart
            for text in texts { Self.spell(text, into: memory, &end, &needles) }
            if seesPlaceholders {
                for (index, byte) in mark.enumerated() { memory[end + index] = byte }
                needles.append(Needle(start: end, count: mark.count, matchCount: Placeholder.coreCount))
            }
            window = min(window, needles.map(\.count).min() ?? window)
            Self.fill(memory, window, needles)
        }
        self.needles = needles
        self.window = window
        countMax = needles.map(\.matchCount).max() ?? 0
    }

    private static func room(_ text: UnsafeRawBufferPointer) -> Int {
        var count = 0
        for spelling in Spelling.allCases { spelling.spell(text) { _ in count += 1 } }
        return count
    }

    /// Writes the spellings of a text behind what is there, each once.
    private static func spell(
        _ text: UnsafeRawBufferPointer,
        into memory: UnsafeMutableRawBufferPointer,
        _ end: inout Int,
        _ needles: inout [Needle]
    ) {
        for spelling in Spelling.allCases {
            var next = end
            spelling.spell(text) { byte in
                memory[next] = byte
                next += 1
            }
            let written = memory[end..<next]
            let isKnown = needles.contains { memory[$0.start..<$0.start + $0.count].elementsEqual(written) }
            guard written.count >= spellingBytesMin, !isKnown else { continue }
            needles.append(Needle(start: end, count: written.count, matchCount: written.count))
            end = next
        }
    }

    private static func fill(_ memory: UnsafeMutableRawBufferPointer, _ window: Int, _ needles: [Needle]) {
        for place in 0..<places { memory[place] = UInt8(window - 1) }
        for needle in needles {
            memory[places + Int(memory[needle.start])] = 1
            for end in 1..<window {
                let place = place(memory[needle.start + end - 1], memory[needle.start + end])
                memory[place] = min(memory[place], UInt8(window - 1 - end))
            }
        }
    }

    private static func place(_ first: UInt8, _ second: UInt8) -> Int {
        (Int(first) << 4 ^ Int(second)) & (places - 1)
    }

    /// What was found in some bytes.
    package enum Finding: Equatable {
        case nothing
        /// From here on it may be the beginning of a text, which the bytes to come will tell.
        case perhaps(from: Int)
        case text(at: Int)
    }

    /// Looks through some bytes.
    ///
    /// - Parameter isEnd: no bytes follow.
    package func find(in bytes: UnsafeRawBufferPointer, isEnd: Bool) -> Finding {
        guard !needles.isEmpty, let text = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
            return .nothing
        }
        return memory.withBytes { memory in
            guard let own = memory.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return .nothing }
            var position = 0
            while position + window <= bytes.count {
                let skip = own[Self.place(text[position + window - 2], text[position + window - 1])]
                if skip > 0 {
                    position += Int(skip)
                    continue
                }
                switch match(text + position, bytes.count - position, own) {
                case .nothing: position += 1
                case .text: return .text(at: position)
                case .perhaps:
                    // Whatever stands behind it waits with it, and is looked at again.
                    guard isEnd else { return .perhaps(from: position) }
                    position += 1
                }
            }
            return isEnd ? .nothing : rest(text, position, bytes.count, own)
        }
    }

    /// True where a whole text is somewhere in a text of its own.
    package func isIn(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { find(in: UnsafeRawBufferPointer($0), isEnd: true) } != .nothing
    }

    /// Of the last places, where no window has room: the first at which a text could begin.
    private func rest(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ own: UnsafePointer<UInt8>) -> Finding {
        var position = start
        while position < end {
            if own[Self.places + Int(text[position])] != 0 {
                let finding = match(text + position, end - position, own)
                if finding != .nothing { return .perhaps(from: position) }
            }
            position += 1
        }
        return .nothing
    }

    /// Compares every text with what stands at a place.
    private func match(_ text: UnsafePointer<UInt8>, _ left: Int, _ own: UnsafePointer<UInt8>) -> Finding {
        var isPerhaps = false
        for needle in needles where text[0] == own[needle.start] {
            guard memcmp(text, own + needle.start, min(left, needle.count)) == 0 else { continue }
            let isMark = needle.matchCount > needle.count
            if left < needle.matchCount {
                isPerhaps = isPerhaps || !isMark || Self.isAlphanumeric(text, left)
            } else if !isMark || Self.isCore(text) {
                return .text(at: 0)
            }
        }
        return isPerhaps ? .perhaps(from: 0) : .nothing
    }

    private static func isAlphanumeric(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        (0..<count).allSatisfy { Spelling.isAlphanumeric(text[$0]) }
    }

    private static func isCore(_ text: UnsafePointer<UInt8>) -> Bool {
        let count = Placeholder.coreCount
        guard isAlphanumeric(text, count) else { return false }
        return Placeholder.isCore(Array(UnsafeBufferPointer(start: text, count: count))[...])
    }
}
