/// What the launcher tells the supervisor over its socket: one fixed-size message each.
package struct StatusMessage: Sendable, Equatable {
    package enum Kind: UInt32, Sendable {
        /// The sandbox's init runs; a pidfd of it is attached. `number` is its process id outside.
        case started = 1
        /// The command has a terminal; its master side is attached.
        case terminal
        /// The self-test has passed and the command is about to be executed.
        case ready
        /// `step`, `code` (errno) and `path` say what failed. Nothing was executed.
        case failed
        /// The command's main process ended: `number` is its wait status.
        case exited
        /// Calls are observed from here on; the listener is attached. Without one `code` (errno) says why there is
        /// none.
        case observing
        /// The launcher is about to execute the plan's candidate `number`: the next execution of this process is not
        /// yet the command's.
        case attempting
        /// The plan's listener `number` listens; it is attached.
        case listening
    }

    package var kind: Kind
    package var step: LaunchStep = .readPlan
    package var code: Int32 = 0
    package var number: Int64 = 0
    package var cpuMicroseconds: UInt64 = 0
    package var peakKibibytes: UInt64 = 0
    package var path = ""

    package init(_ kind: Kind) { self.kind = kind }

    package static let byteCount = 40 + pathBytesMax
    static let pathBytesMax = 512

    /// Writes a message without allocating.
    static func encode(
        _ kind: Kind,
        step: LaunchStep = .readPlan,
        code: Int32 = 0,
        number: Int64 = 0,
        cpuMicroseconds: UInt64 = 0,
        peakKibibytes: UInt64 = 0,
        path: UnsafePointer<CChar>? = nil,
        into buffer: UnsafeMutableRawPointer
    ) {
        buffer.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        buffer.storeBytes(of: kind.rawValue, toByteOffset: 0, as: UInt32.self)
        buffer.storeBytes(of: step.rawValue, toByteOffset: 4, as: UInt32.self)
        buffer.storeBytes(of: code, toByteOffset: 8, as: Int32.self)
        buffer.storeBytes(of: number, toByteOffset: 16, as: Int64.self)
        buffer.storeBytes(of: cpuMicroseconds, toByteOffset: 24, as: UInt64.self)
        buffer.storeBytes(of: peakKibibytes, toByteOffset: 32, as: UInt64.self)
        guard let path else { return }
        var index = 0
        while index < pathBytesMax - 1, path[index] != 0 {
            buffer.storeBytes(of: path[index], toByteOffset: 40 + index, as: CChar.self)
            index += 1
        }
    }

    /// Reads a message; nil if it is not one.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.byteCount, let kind = Kind(rawValue: bytes.loadUnaligned(as: UInt32.self)) else {
            return nil
        }
        self.kind = kind
        step = LaunchStep(rawValue: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)) ?? .readPlan
        code = bytes.loadUnaligned(fromByteOffset: 8, as: Int32.self)
        number = bytes.loadUnaligned(fromByteOffset: 16, as: Int64.self)
        cpuMicroseconds = bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
        peakKibibytes = bytes.loadUnaligned(fromByteOffset: 32, as: UInt64.self)
        path = String(decoding: bytes[40...].prefix { $0 != 0 }, as: UTF8.self)
    }
}
