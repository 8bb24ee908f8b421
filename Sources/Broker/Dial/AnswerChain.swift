package import Egress

/// From the name that was asked for, over its aliases, to its addresses: what one answer says of one question.
package struct AnswerChain: Sendable, Equatable {
    /// In the order in which they lead on.
    package private(set) var aliases: [DNSName] = []
    package private(set) var addresses: [IPAddress] = []
    /// The shortest life of any part.
    package private(set) var timeToLiveSeconds: UInt32 = .max

    /// Aliases that are followed one after the other.
    package static let aliasesMax = 16
    /// Addresses of one family that one name may have.
    package static let addressesMax = 64

    /// Why no addresses follow from an answer.
    package enum Fault: Error, Sendable, Equatable {
        /// A name that is its own alias, or has too many of them or two.
        case aliases
        case tooManyAddresses
    }

    /// Follows the aliases within the answer. Records of names that are not on the way are not looked at.
    package init(_ answer: DNSAnswer) throws(Fault) {
        var owner = answer.question.name
        while let (target, life) = try Self.alias(of: owner, in: answer) {
            guard aliases.count < Self.aliasesMax, !target.isSame(as: answer.question.name),
                !aliases.contains(where: { $0.isSame(as: target) })
            else { throw .aliases }
            aliases.append(target)
            timeToLiveSeconds = min(timeToLiveSeconds, life)
            owner = target
        }
        for record in answer.records where record.owner.isSame(as: owner) {
            guard case .address(let address) = record.data, Self.fits(address, answer.question.type) else { continue }
            guard addresses.count < Self.addressesMax else { throw .tooManyAddresses }
            if !addresses.contains(address) { addresses.append(address) }
            timeToLiveSeconds = min(timeToLiveSeconds, record.timeToLiveSeconds)
        }
    }

    private static func alias(of owner: DNSName, in answer: DNSAnswer) throws(Fault) -> (DNSName, UInt32)? {
        var found: (DNSName, UInt32)?
        for record in answer.records {
            guard case .alias(let target) = record.data, record.owner.isSame(as: owner) else { continue }
            if let found, !found.0.isSame(as: target) { throw .aliases }
            found = (target, record.timeToLiveSeconds)
        }
        return found
    }

    private static func fits(_ address: IPAddress, _ type: DNSType) -> Bool {
        switch address {
        case .v4: type == .a
        case .v6: type == .aaaa
        }
    }
}
