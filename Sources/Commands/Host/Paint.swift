import ArgumentParser
import Glibc

/// Colours of what is printed for people. Every line says the same without them.
struct Paint: Sendable {
    enum Choice: String, ExpressibleByArgument, CaseIterable, Sendable {
        case always, never, auto
    }

    enum Colour: Int, Sendable {
        case bold = 1, dim = 2, red = 31, green = 32, yellow = 33, cyan = 36
    }

    let isOn: Bool

    /// - Parameters:
    ///   - descriptor: where it is printed: colours are for terminals.
    ///   - environment: `NO_COLOR`, where it is not empty, asks for none (no-color.org), and so does a dumb terminal.
    init(_ descriptor: Int32, _ environment: [String: String], _ choice: Choice = .auto) {
        switch choice {
        case .always: isOn = true
        case .never: isOn = false
        case .auto:
            let isUnwanted = !(environment["NO_COLOR"] ?? "").isEmpty || environment["TERM"] == "dumb"
            isOn = isatty(descriptor) == 1 && !isUnwanted
        }
    }

    /// - Parameter text: printable, so that nothing in it ends the colour.
    func callAsFunction(_ colour: Colour, _ text: String) -> String {
        isOn && !text.isEmpty ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[m" : text
    }
}
