package yard;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;

/** What a Java program asks of a system: files, locks, threads, processes, sockets. */
public final class Suite {
    private Suite() {}

    private static void check(String name, Callable<Boolean> test) {
        boolean passed;
        try {
            passed = test.call();
        } catch (Exception exception) {
            System.out.println(exception);
            passed = false;
        }
        System.out.println((passed ? "PASS: " : "FAIL: ") + name);
    }

    private static boolean talks(String address) throws Exception {
        try (var server = new ServerSocket(0, 5, InetAddress.getByName(address))) {
            var pool = Executors.newSingleThreadExecutor();
            var received = pool.submit(() -> {
                try (var socket = server.accept()) {
                    return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                }
            });
            try (var socket = new Socket(server.getInetAddress(), server.getLocalPort())) {
                socket.getOutputStream().write("over loopback".getBytes(StandardCharsets.UTF_8));
            }
            pool.shutdown();
            return Words.count(received.get()) == 2;
        }
    }

    private static boolean movesFiles() throws IOException {
        var tree = Files.createDirectories(Path.of("out/tree/deep"));
        Files.writeString(tree.resolve("größe.txt"), "a name that is not ASCII");
        Files.move(Path.of("out/tree"), Path.of("out/moved"), StandardCopyOption.ATOMIC_MOVE);
        try (var paths = Files.walk(Path.of("out/moved"), FileVisitOption.FOLLOW_LINKS)) {
            return paths.count() == 3;
        }
    }

    private static boolean locksFile() throws IOException {
        var path = Path.of("out/lock");
        try (var channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            try (var lock = channel.tryLock()) {
                return lock != null && !lock.isShared();
            }
        }
    }

    /** Runs every check; what fails is printed. */
    public static void main(String[] arguments) {
        check("words are counted", () -> Words.count(" a b\tc\n") == 3);
        check("IPv4 on loopback", () -> talks("127.0.0.1"));
        check("IPv6 on loopback", () -> talks("::1"));
        check("localhost has an address", () -> talks("localhost"));
        check("this host has an address", () -> InetAddress.getLocalHost().getAddress().length > 0);
        check("a directory is renamed", Suite::movesFiles);
        check("a file is locked", Suite::locksFile);
        check("many threads", () -> IntStream.range(0, 100_000).parallel().sum() == 704_982_704);
        check("a process is started", () -> new ProcessBuilder("sh", "-c", "exit 3").start().waitFor() == 3);
        check("the user owns the project", () -> Files.isWritable(Path.of(".")));
        check("a temporary file", () -> Files.exists(Files.createTempFile("suite", ".tmp")));
    }
}
