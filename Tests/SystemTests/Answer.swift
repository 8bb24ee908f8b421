import Foundation

/// A JSON object that the product printed, read by a parser that is not the product's.
struct Answer {
    private let root: [String: Any]

    init(_ data: Data) throws {
        guard let root = try JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw YardError("no JSON object: \(String(decoding: data, as: UTF8.self))")
        }
        self.root = root
    }

    /// The value at a path such as `changes.state`.
    func value(_ path: String) -> Any? {
        var current: Any? = root
        for name in path.split(separator: ".") { current = (current as? [String: Any])?[String(name)] }
        return current
    }

    func text(_ path: String) -> String? { value(path) as? String }
    func number(_ path: String) -> Int? { (value(path) as? NSNumber)?.intValue }
    func flag(_ path: String) -> Bool? { value(path) as? Bool }
    func isNull(_ path: String) -> Bool { value(path) is NSNull }
    func objects(_ path: String) -> [[String: Any]] { value(path) as? [[String: Any]] ?? [] }
    var names: [String] { root.keys.sorted() }
}
