package import BrokerLink

/// Locked memory for bytes that are secret. It is written once.
package struct SecretMemory: ~Copyable, Sendable {
    /// Why there is none.
    package typealias Failure = LinkError

    private let pages: SecretPages
    package let count: Int

    /// - Parameter fill: writes what it is to hold; everything is zero before.
    package init(count: Int, fill: (UnsafeMutableRawBufferPointer) -> Void) throws(Failure) {
        pages = try SecretPages(bytesMin: count, .required)
        self.count = count
        fill(UnsafeMutableRawBufferPointer(start: pages.base, count: count))
    }

    package func withBytes<Value, Failure>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try body(UnsafeRawBufferPointer(start: pages.base, count: count))
    }
}
