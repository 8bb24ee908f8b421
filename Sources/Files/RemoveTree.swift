import Glibc

extension Directory {
    /// Removes an entry and all below it, without following anything. Directories that their owner cannot enter (an
    /// overlay leaves its work directory with mode 000) are opened up first. Nothing there is no error.
    ///
    /// Neither PATH_MAX nor the number of open descriptors bounds the depth: what lies too deep is first moved up
    /// beside `name`.
    package func removeTree(_ name: [UInt8]) throws(SystemError) {
        var waiting = [name]
        var lifted = 0
        while let next = waiting.popLast() {
            guard let status = try statusIfPresent(next) else { continue }
            guard status.kind == .directory else {
                try removeFile(next)
                continue
            }
            try openUp(next)
            let child = try directory(next)
            try child.removeContents(depth: 0) { (parent: borrowing Directory, deep) throws(SystemError) in
                lifted += 1
                let name = Array(".removing-\(lifted)".utf8)
                try parent.rename(deep, to: self, name)
                waiting.append(name)
            }
            try removeDirectory(next)
        }
    }

    /// Directories kept open at once on the way down.
    private static var depthMax: Int { 64 }

    private func removeContents(
        depth: Int,
        lift: (borrowing Directory, [UInt8]) throws(SystemError) -> Void
    ) throws(SystemError) {
        for entry in try entries() {
            let kind = if let known = entry.kind { known } else { try status(entry.name).kind }
            if kind != .directory {
                try removeFile(entry.name)
                continue
            }
            try openUp(entry.name)
            if depth >= Self.depthMax {
                try lift(self, entry.name)
                continue
            }
            let child = try directory(entry.name)
            try child.removeContents(depth: depth + 1, lift: lift)
            try removeDirectory(entry.name)
        }
    }

    private func openUp(_ name: [UInt8]) throws(SystemError) {
        guard try status(name).mode & 0o700 != 0o700 else { return }
        let code = Self.withPath(name) { fchmodat(raw, $0, 0o700, 0) }
        _ = try SystemError.check("chmod", code, path: Self.text(name))
    }
}
