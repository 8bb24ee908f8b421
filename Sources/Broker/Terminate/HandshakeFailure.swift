import Domain
import Egress
import NIOSSL

/// Why a client inside did not come to terms with the broker's certificate.
struct HandshakeFailure {
    let rule: RuleID
    let detail: String

    /// What clients say that look for a certificate of their own, or that do not have the roots of the sandbox.
    private static let alerts = [
        "ALERT_UNKNOWN_CA", "ALERT_BAD_CERTIFICATE", "ALERT_CERTIFICATE_UNKNOWN", "ALERT_CERTIFICATE_EXPIRED",
        "ALERT_CERTIFICATE_REVOKED", "ALERT_UNSUPPORTED_CERTIFICATE",
    ]

    init(_ error: any Error) {
        let text = "\(error)"
        detail = Printable.text(Array(text.utf8.prefix(512)))
        if error is ServerNameMismatch {
            rule = RuleID("server-name")
        } else if Self.alerts.contains(where: { text.uppercased().contains($0) }) || Self.isAlertInClear(text) {
            rule = RuleID("client-pins")
        } else {
            rule = RuleID("handshake")
        }
    }

    /// OpenSSL sends the alert before it has the keys of its own side, which TLS 1.3 lets it do and which reads as a
    /// record that is too short to be encrypted. Nothing else in a handshake is.
    private static func isAlertInClear(_ text: String) -> Bool { text.contains("BAD_PACKET_LENGTH") }

    func reason(_ target: ConnectTarget) -> String {
        switch rule {
        case RuleID("client-pins"):
            "the client refused the certificate that lets requests to \(target) be seen: it pins another, or brings "
                + "its own roots"
        case RuleID("server-name"): "the client asked its way to \(target) and named another server"
        default: "the handshake with the client failed"
        }
    }

    var remedy: String? {
        guard rule == RuleID("client-pins") else { return nil }
        return "Have the client use the roots of the system, or an operator lists the whole host, unless it is a forge."
    }
}
