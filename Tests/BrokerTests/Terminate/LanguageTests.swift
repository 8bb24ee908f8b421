import Broker
import BrokerLink
import Domain
import Egress
import Foundation
import TestSupport
import Testing

@Suite(
    "languages' own clients speak to a host whose requests are seen",
    .enabled(if: ["java", "node"].allSatisfy { FileManager.default.isExecutableFile(atPath: "/usr/bin/" + $0) })
)
struct LanguageTests {
    private static let java = """
        import java.io.*; import java.net.*; import java.net.http.*;
        import java.security.*; import java.security.cert.*;
        public class Get {
            public static void main(String[] a) throws Exception {
                var store = KeyStore.getInstance("PKCS12"); store.load(null, null);
                var made = CertificateFactory.getInstance("X.509").generateCertificate(new FileInputStream(a[0]));
                store.setCertificateEntry("ca", made);
                var trust = javax.net.ssl.TrustManagerFactory.getInstance("PKIX"); trust.init(store);
                var tls = javax.net.ssl.SSLContext.getInstance("TLS"); tls.init(null, trust.getTrustManagers(), null);
                var client = HttpClient.newBuilder().sslContext(tls).build();
                for (var body : new String[] {"", "x".repeat(100000)}) {
                    var request = HttpRequest.newBuilder(URI.create(a[1]));
                    if (!body.isEmpty()) request.POST(HttpRequest.BodyPublishers.ofString(body));
                    var answer = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
                    System.out.print(answer.version() + " " + answer.body());
                }
            }
        }
        """

    private static let node = """
        const fs = require('fs'), https = require('https'), http2 = require('http2');
        const [ca, port, name] = [fs.readFileSync(process.argv[2]), +process.argv[3], process.argv[4]];
        const options = { ca, servername: name, host: '127.0.0.1', port };
        https.get({ ...options, path: '/one', headers: { host: name + ':' + port } }, (r) => {
            r.on('data', (d) => process.stdout.write('1 ' + d));
            r.on('end', () => {
                const session = http2.connect('https://' + name + ':' + port, options);
                const stream = session.request({ ':path': '/two', ':method': 'POST' });
                stream.on('data', (d) => process.stdout.write('2 ' + d));
                stream.on('end', () => session.close());
                stream.end('y'.repeat(200000));
            });
        });
        """

    @Test func javaAndNode() throws {
        let name = "api.example.com"
        let port = try ForwardingYard.freePort()
        let tools = try ToolYard([name], allow: ["\(name):\(port)"])
        try tools.yard.lead("\(name):\(port)", to: tools.server.port)
        _ = try tools.yard.door("\(name):\(port)", isTLS: true, port: port)
        let place = tools.place.path
        try tools.place.write("127.0.0.1 \(name)\n", to: "hosts")
        try tools.place.write(Self.java, to: "Get.java")
        try tools.place.write(Self.node, to: "get.js")
        let java = try ProcessRunner.run(
            "/usr/bin/env",
            arguments: [
                "java", "-Djdk.net.hosts.file=\(place)/hosts", place + "/Get.java", place + "/ca.pem",
                "https://\(name):\(port)/j",
            ]
        )
        let host = "\(name):\(port)"
        #expect(java.stdout == "HTTP_2 GET /j \(host) 0\nHTTP_2 POST /j \(host) 100000\n", "\(java.summary)")
        let node = try ProcessRunner.run(
            "/usr/bin/env",
            arguments: ["node", place + "/get.js", place + "/ca.pem", "\(port)", name]
        )
        #expect(node.stdout == "1 GET /one \(host) 0\n2 POST /two \(host) 200000\n", "\(node.summary)")
    }
}
