import Domain
import Files
import Glibc
import Policy

/// A file that holds what only the caller may read. It is judged by what was opened, so that nobody can exchange it in
/// between.
struct PrivateFile {
    let path: String
    /// What it is read for, as messages say it.
    let what: String
    let caller: Caller
    /// Places that commands inside see.
    let visible: [String]

    /// The file, opened for reading; nil where there is none.
    func open() throws(CommandError) -> Descriptor? {
        let raw = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW)
        guard raw >= 0 else {
            switch errno {
            case ENOENT, ENOTDIR: return nil
            case ELOOP: throw refuse("it is a symbolic link", "Name the file that it leads to.")
            default: throw refuse(String(cString: strerror(errno)), "Name a file that you can read.")
            }
        }
        let file = Descriptor(owning: raw)
        var status = stat()
        guard fstat(file.raw, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw refuse("it is no regular file", "Name a file.")
        }
        guard status.st_uid == caller.userID || status.st_uid == 0 else {
            throw refuse("it belongs to user \(status.st_uid)", "Keep it in a file of your own.")
        }
        guard status.st_mode & 0o077 == 0 else {
            let mode = String(status.st_mode & 0o7777, radix: 8)
            throw refuse("others can read it (mode \(mode))", "Run: chmod 600 \(Printable.text(path))")
        }
        guard status.st_nlink == 1 else {
            throw refuse("it has \(status.st_nlink) names", "Make a copy that has one, of mode 600.")
        }
        try checkPlace()
        return file
    }

    /// What commands could read inside, or have put there themselves, is no secret.
    private func checkPlace() throws(CommandError) {
        guard let real = Caller.resolved(path) else { throw refuse("it is gone again", "Keep it where it is.") }
        guard let place = visible.first(where: { real == $0 || real.hasPrefix($0 + "/") }) else { return }
        throw refuse(
            "commands see what lies in \(Printable.text(place))",
            "Keep it elsewhere, such as below ~/.config."
        )
    }

    private func refuse(_ problem: String, _ hint: String) -> CommandError {
        CommandError(ExitStatus.failed, "read \(what) from \(Printable.text(path)): \(problem)", hint: hint)
    }
}
