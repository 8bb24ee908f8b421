import BrokerLink
import Egress
import Glibc
import NIOCore

extension IPAddress {
    func socketAddress(port: UInt16) throws -> SocketAddress {
        try SocketAddress(packedIPAddress: ByteBuffer(bytes: networkBytes), port: Int(port))
    }
}

extension NameServer {
    var socketAddress: SocketAddress { get throws { try address.socketAddress(port: port) } }
}
