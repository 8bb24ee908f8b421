import Domain
package import Egress

/// Finds, while a body is read, what has the service do or read more than stands there: tools that it carries out
/// itself, files and addresses that are only named, parts of conversations that it remembers. It is told names and
/// values in the order in which they stand.
package struct ExtraFinder {
    private enum Role { case plain, opaque, tools, tool, edits, edit, items, item }

    /// An object or a list that is open.
    private struct Place {
        let role: Role
        /// The member that it is the value of.
        let name: String?
        var types: [String] = []
        /// Members that say something by being there.
        var hasFunction = false, hasModel = false, hasRole = false
        /// A tool has a member that none of the client's has.
        var hasOther = false
        /// Types of tools that the client carries out, as something beside the type says.
        var atClient: Set<String> = []
        /// What says that was named already.
        var saidWhere: Set<String> = []
        /// It has the media type of a picture.
        var isPicture = false
        /// Base64 that is a picture if the types say so: as data, and in an address.
        var encodedBytes = 0, addressedBytes = 0
    }

    /// By their types, members or names, each once.
    package private(set) var names: [String] = []
    /// A tool of the service's has a model of its own.
    package private(set) var namesModel = false
    /// Bytes of pictures in Base64.
    package private(set) var encodedBytes = 0
    package private(set) var pictures: UInt64 = 0

    private let dialect: ModelDialect
    private var open: [Place] = []
    /// The name of what comes now.
    private var name: String?
    /// The member at the top that is read.
    private var top: String?

    private static let nameBytesMax = 64
    private static let typesMax = 4
    static let namesMax = 16

    package init(_ dialect: ModelDialect) { self.dialect = dialect }

    /// A member at the top has this name; what is null or false asks for nothing.
    mutating func begin(member: String?, isOff: Bool) {
        name = member
        top = member
        guard !isOff else { return }
        guard let member else { return add("an unnamed member") }
        if !ServiceExtras.isHarmless(member, dialect) { add(member) }
    }

    mutating func add(_ name: String) {
        let isPlain = (1...Self.nameBytesMax).contains(name.utf8.count)
        let kept = isPlain && name.utf8.allSatisfy { (0x20...0x7E).contains($0) } ? name : "what cannot be read"
        if names.count < Self.namesMax, !names.contains(kept) { names.append(kept) }
    }

    /// The name of a member of the object that is open, as it is written between its quotes.
    mutating func take(name bytes: Slice<UnsafeRawBufferPointer>) {
        guard let last = open.indices.last, open[last].role != .opaque else { return name = nil }
        name = Self.text(bytes, isName: true)
        if let name, open[last].role == .tool { take(toolMember: name, at: last) }
    }

    private mutating func take(toolMember name: String, at last: Int) {
        switch name {
        case "function": open[last].hasFunction = true
        case "model": open[last].hasModel = true
        // Of two, a service may heed the one that says less.
        case "environment", "execution": if !open[last].saidWhere.insert(name).inserted { add("tools") }
        default: break
        }
        if dialect == .chat, !ServiceExtras.chatToolMembers.contains(name) { open[last].hasOther = true }
    }

    /// A comma: no value that comes now has the name.
    mutating func forgetName() { name = nil }

    mutating func begin(isObject: Bool) {
        open.append(Place(role: role(isObject), name: name))
        name = nil
    }

    private func role(_ isObject: Bool) -> Role {
        guard let around = open.last else {
            switch name {
            case "metadata", "client_metadata": return .opaque
            case "tools": return isObject ? .tool : .tools
            case "context_management": return isObject ? dialect == .responses ? .edit : .plain : .edits
            case "input": return isObject ? .item : .items
            default: return .plain
            }
        }
        if around.role == .opaque { return .opaque }
        if let name, ServiceExtras.opaque.contains(name) { return .opaque }
        switch around.role {
        case .tools: return isObject ? .tool : .tools
        case .edits where isObject: return .edit
        case .items where isObject: return .item
        default: break
        }
        if !isObject, name == "tools" { return .tools }
        // A message may bring a tool of its own.
        if isObject, name == "tool" || name == "definition" { return .tool }
        if !isObject, name == "edits" { return .edits }
        return .plain
    }

    mutating func end() {
        guard let place = open.popLast() else { return }
        name = nil
        switch place.role {
        case .tool: judge(tool: place)
        case .edit:
            for type in place.types where !type.hasPrefix("clear_") { add(type) }
            if place.types.isEmpty { add("context_management") }
        case .item where dialect == .responses:
            // An item that is nothing but its number stands for one that the service has.
            if place.types.isEmpty, !place.hasRole { add("item_reference") }
        default: break
        }
        if place.name == "environment", let last = open.indices.last, open[last].role == .tool {
            if place.types == ["local"] { open[last].atClient.insert("shell") } else { add("shell") }
        }
        take(picturesOf: place)
    }

    /// Text is not counted as a picture because it looks like one: the place must say so, where the service looks for
    /// pictures.
    private mutating func take(picturesOf place: Place) {
        guard top == "messages" || top == "input" else { return }
        if place.types == ["base64"], place.isPicture { encodedBytes += place.encodedBytes }
        if place.types.contains(where: Self.isPicture) {
            encodedBytes += place.addressedBytes
        } else if let last = open.indices.last, place.name?.hasSuffix("_url") == true {
            open[last].addressedBytes += place.addressedBytes
        }
    }

    private mutating func judge(tool place: Place) {
        if place.types.isEmpty {
            let isOwn = dialect == .messages || dialect == .chat && place.hasFunction && !place.hasOther
            return isOwn ? () : add("tools")
        }
        if place.hasOther { add("tools") }
        for type in place.types where !ServiceExtras.isOwn(type, dialect) {
            if place.types.count == 1, place.atClient.contains(type) { continue }
            add(type)
            if place.hasModel { namesModel = true }
        }
    }

    /// A string that is a value, as it is written between its quotes.
    mutating func take(value bytes: Slice<UnsafeRawBufferPointer>) {
        guard let last = open.indices.last, open[last].role != .opaque else { return }
        guard let name else {
            if open[last].role == .tools { add("tools") }
            return
        }
        defer { self.name = nil }
        switch name {
        case "type":
            guard open[last].types.count < Self.typesMax else { return add("type") }
            take(type: Self.text(bytes, isName: false) ?? "what cannot be read", at: last)
        case "role": open[last].hasRole = true
        // What a model said before, which the service keeps.
        case "id" where dialect == .chat && open[last].name == "audio": add("audio")
        case "file_id", "file_data": add(name)
        case "media_type":
            let type = Self.text(bytes, isName: false) ?? "media_type"
            open[last].isPicture = type.hasPrefix("image/")
            if !open[last].isPicture, type != "text/plain" { add(type) }
        case "execution" where open[last].role == .tool:
            if bytes.elementsEqual("client".utf8) {
                open[last].atClient.insert("tool_search")
            } else {
                add("tool_search")
            }
        case "data": if Self.isEncoded(bytes) { open[last].encodedBytes += bytes.count }
        case "url":
            if let around = open[last].name, around.hasSuffix("_url") { take(address: bytes, of: around, at: last) }
        default: if name.hasSuffix("_url") { take(address: bytes, of: name, at: last) }
        }
    }

    private mutating func take(type: String, at last: Int) {
        open[last].types.append(type)
        if type == "url" || type == "item_reference" { add(type) }
        // Wherever a type with a date stands, it is a tool's, or what becomes of a conversation.
        if ServiceExtras.isDated(type), !ServiceExtras.isOwn(type, dialect), !type.hasPrefix("clear_") { add(type) }
        if Self.isPicture(type) { pictures += 1 }
    }

    private static func isPicture(_ type: String) -> Bool { type.contains("image") || type.contains("screenshot") }

    private mutating func take(address bytes: Slice<UnsafeRawBufferPointer>, of name: String, at last: Int) {
        guard bytes.starts(with: "data:image/".utf8) else { return add(name) }
        if Self.isEncoded(bytes) { open[last].addressedBytes += bytes.count }
    }

    /// What a short string says; nil for what cannot be read or, of a name, is longer than any that matters.
    private static func text(_ bytes: Slice<UnsafeRawBufferPointer>, isName: Bool) -> String? {
        guard bytes.count <= nameBytesMax * 6 else { return nil }
        var text: String
        if bytes.contains(UInt8(ascii: "\\")) {
            let quoted = [UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")]
            guard let plain = try? JSONParser.parse(quoted).stringValue else { return nil }
            text = plain
        } else {
            text = String(decoding: bytes, as: UTF8.self)
        }
        guard isName else { return text }
        // Some services take names in any case; letters such as the long s become ordinary ones on the way up.
        if !text.utf8.allSatisfy({ $0 < 0x80 && !(0x41...0x5A).contains($0) }) { text = text.uppercased().lowercased() }
        return text.utf8.count <= nameBytesMax ? text : nil
    }

    /// Shorter strings are counted as text.
    private static let encodedBytesMin = 4096

    /// True for a long string of Base64, which may follow the beginning of a `data:` URL.
    private static func isEncoded(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
        guard bytes.count >= encodedBytesMin else { return false }
        var rest = bytes
        if rest.starts(with: "data:".utf8), let comma = rest.prefix(128).firstIndex(of: UInt8(ascii: ",")) {
            rest = rest[(comma + 1)...]
        }
        return rest.allSatisfy(JSONBytes.isBase64)
    }
}
