import Dispatch
import Foundation
import TestSupport
import Testing

/// A server in Python or for Node that lives as long as this value.
final class ChildServer: Sendable {
    let port: UInt16
    private let stopFile: String
    private let done = DispatchSemaphore(value: 0)

    init(_ script: String, in place: TemporaryDirectory, isNode: Bool = false) throws {
        let name = "server-\(UUID().uuidString)"
        stopFile = place.path + "/" + name + ".stop"
        let file = name + (isNode ? ".js" : ".py")
        let prelude = isNode ? Self.nodePrelude : Self.pythonPrelude
        let whole = prelude.replacing("PLACE", with: place.path).replacing("NAME", with: name) + script
        try place.write(whole, to: file)
        let path = place.path
        let done = done
        Thread.detachNewThread {
            let result = try? ProcessRunner.run(
                "/usr/bin/env",
                arguments: [isNode ? "node" : "python3", path + "/" + file],
                timeoutSeconds: 120
            )
            if result?.status != 0 { print(result?.summary ?? "no server") }
            done.signal()
        }
        var port: UInt16?
        for _ in 0..<1500 where port == nil {
            port = (try? place.read(name + ".port")).flatMap { UInt16($0) }
            if port == nil { usleep(10_000) }
        }
        self.port = try #require(port)
    }

    deinit {
        _ = FileManager.default.createFile(atPath: stopFile, contents: nil)
        done.wait()
    }

    private static let pythonPrelude = """
        import os, ssl, sys, threading, time
        os.chdir('PLACE')
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain('up.pem', 'up.key')
        def watch():
            while not os.path.exists('NAME.stop') and os.path.exists('NAME.py'): time.sleep(0.05)
            os._exit(0)
        def serve(port, forever):
            with open('NAME.new', 'w') as f: f.write(str(port))
            os.rename('NAME.new', 'NAME.port')
            threading.Thread(target=watch, daemon=True).start()
            forever()

        """

    private static let nodePrelude = """
        const fs = require('fs'), http2 = require('http2');
        process.chdir('PLACE');
        const options = { key: fs.readFileSync('up.key'), cert: fs.readFileSync('up.pem'), allowHTTP1: true };
        function serve(server) {
            server.listen(0, '127.0.0.1', () => {
                fs.writeFileSync('NAME.new', String(server.address().port));
                fs.renameSync('NAME.new', 'NAME.port');
            });
            setInterval(() => {
                if (fs.existsSync('NAME.stop') || !fs.existsSync('NAME.js')) process.exit(0);
            }, 50);
        }

        """
}
