import Glibc

extension Directory {
    /// Removes an entry and all below it, without following anything. Directories that their owner cannot enter (an
    /// overlay leaves its work directory with mode 000) are opened up first. Nothing there is no error.
    ///
    /// Neither PATH_MAX nor the number of open descriptors bounds the depth: what lies too deep is first moved up
    /// within the entry, so that all of it is still there to be removed if we are killed.
    package func removeTree(_ name: [UInt8]) throws(SystemError) {
        guard let status = try statusIfPresent(name) else { return }
        guard status.kind == .directory else { return try removeFile(name) }
        try openUp(name)
        let top = try directory(name)
        var lifted = 0
        var before = 0
        repeat {
            before = lifted
            try top.removeContents(depth: 0) { (parent: borrowing Directory, deep) throws(SystemError) in
                repeat { lifted += 1 } while try !parent.renameIfAbsent(deep, to: top, Self.liftedName(lifted))
            }
        } while lifted > before
        try removeDirectory(name)
    }

    private static func liftedName(_ number: Int) -> [UInt8] { Array(".removing-\(number)".utf8) }

    /// Directories kept open at once on the way down.
    private static var depthMax: Int { 64 }

    /// Modes are looked at only where the kernel says no: most directories let their owner in.
    private func removeContents(
        depth: Int,
        lift: (borrowing Directory, [UInt8]) throws(SystemError) -> Void
    ) throws(SystemError) {
        for entry in try openingUp({ () throws(SystemError) in try entries() }) {
            let kind = if let known = entry.kind { known } else { try statusOpeningUp(entry.name).kind }
            if kind != .directory {
                try openingUp { () throws(SystemError) in try removeFile(entry.name) }
                continue
            }
            if depth >= Self.depthMax {
                try setOwnMode(0o700)
                try openUp(entry.name)
                try lift(self, entry.name)
                continue
            }
            let child = try directoryOpeningUp(entry.name)
            try child.removeContents(depth: depth + 1, lift: lift)
            try openingUp { () throws(SystemError) in try removeDirectory(entry.name) }
        }
    }

    /// Tries again with all rights to this directory, if it was for want of them that something failed.
    private func openingUp<Result: ~Copyable>(_ body: () throws(SystemError) -> Result) throws(SystemError) -> Result {
        do {
            return try body()
        } catch  where error.code == EACCES {
            try setOwnMode(0o700)
            return try body()
        }
    }

    private func statusOpeningUp(_ name: [UInt8]) throws(SystemError) -> FileStatus {
        try openingUp { () throws(SystemError) in try status(name) }
    }

    private func directoryOpeningUp(_ name: [UInt8]) throws(SystemError) -> Directory {
        do {
            return try directory(name)
        } catch  where error.code == EACCES {
            try setOwnMode(0o700)
            try openUp(name)
            return try directory(name)
        }
    }

    /// Gives its owner all rights to a directory. Only of a directory: whoever can still put something in its place
    /// must not have another file opened up.
    package func openUp(_ name: [UInt8]) throws(SystemError) {
        let status = try status(name)
        guard status.kind == .directory, status.mode & 0o700 != 0o700 else { return }
        try setModeSafely(name, 0o700, ifInode: status.inode)
    }
}
