import BrokerLink
import CLinux
import Glibc

/// The broker's process: it holds the sockets of one sandbox's network and every connection that leaves it.
package enum Broker {
    /// The numbers of the descriptors that it is started with; there are no others.
    package enum Descriptor {
        /// The socket to the supervisor, packets.
        package static let link: Int32 = 3
    }

    /// Serves until the supervisor says that the run is over, or is gone. Its one argument is the number of the user
    /// that it becomes where it is started by root.
    package static func main() -> Never {
        let words = CommandLine.arguments.dropFirst()
        if words.first == BrokerProgram.checkWord { BrokerCheck.main(Array(words.dropFirst())) }
        guard words.count <= 1, bailey_is_packet_link(Descriptor.link) == 1 else {
            let text = "bailey-broker: it is started by bailey, for a run that may use the network\n"
            _ = text.withCString { write(2, $0, strlen($0)) }
            exit(2)
        }
        let link = PacketLink(owning: Descriptor.link)
        do {
            let walls = try Confinement(user: words.first.flatMap { UInt32($0) }, link: link.descriptor).enter()
            let role = try BrokerRole(link: link, walls: walls)
            try role.run()
            link.sayEnd()
            // The threads that serve end with the process, in no order.
            bailey_exit(0)
        } catch {
            // Whoever is gone is not told; everybody else sees the end of the link as well.
            _ = try? link.send(BrokerReport.failed("\(error)").bytes, waits: false)
            bailey_exit(1)
        }
    }
}
