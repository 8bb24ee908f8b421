// What goes through a proxy, timed: one C program, so that the client costs little beside what is measured.
//
// usage: egress_client PROXY_PORT TARGET get BYTES           one response of that size
//        egress_client PROXY_PORT TARGET keep COUNT          small requests on one connection
//        egress_client PROXY_PORT TARGET new COUNT           small requests, each on a connection of its own
//        egress_client PROXY_PORT TARGET idle COUNT          opens connections and holds them until stdin ends
// PROXY_PORT 0 goes to TARGET (HOST:PORT) itself, on loopback. Prints seconds and the median microseconds of a request.
// Built with TLS, a fifth argument names the file with the only root that the server's certificate may come from.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#ifdef TLS
#include <openssl/err.h>
#include <openssl/ssl.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int proxy_port;
static const char *target;
static char buffer[1 << 18];

static void fail(const char *what) {
    fprintf(stderr, "egress_client: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

#ifdef TLS
static SSL_CTX *context;
static SSL *session;

static void trust(const char *root) {
    context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    if (SSL_CTX_load_verify_locations(context, root, NULL) != 1) fail("trust the root");
}

static void secure(int fd) {
    char name[256];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(target, ":"), target);
    SSL_free(session);
    session = SSL_new(context);
    SSL_set_fd(session, fd);
    SSL_set_tlsext_host_name(session, name);
    SSL_set1_host(session, name);
    if (SSL_connect(session) != 1) {
        ERR_print_errors_fp(stderr);
        fail("handshake");
    }
}
#else
static void *context;

static void trust(const char *root) {
    (void)root;
    fail("it was built without TLS");
}

static void secure(int fd) { (void)fd; }
#endif

static ssize_t put(int fd, const char *bytes, size_t length) {
#ifdef TLS
    if (session) return SSL_write(session, bytes, (int)length);
#endif
    return send(fd, bytes, length, MSG_NOSIGNAL);
}

static ssize_t take(int fd, char *bytes, size_t length) {
#ifdef TLS
    if (session) return SSL_read(session, bytes, (int)length);
#endif
    return recv(fd, bytes, length, 0);
}

static void leave(int fd) {
#ifdef TLS
    SSL_free(session);
    session = NULL;
#endif
    close(fd);
}

static void say(int fd, const char *text) {
    size_t length = strlen(text);
    if (put(fd, text, length) != (ssize_t)length) fail("send");
}

// Reads a response: its head, and as much body as it says.
static long long response(int fd) {
    size_t held = 0;
    for (;;) {
        ssize_t count = take(fd, buffer + held, sizeof buffer - 1 - held);
        if (count <= 0) fail("recv");
        held += count;
        buffer[held] = 0;
        char *end = strstr(buffer, "\r\n\r\n");
        if (!end) continue;
        char *length = strcasestr(buffer, "content-length:");
        long long body = length && length < end ? atoll(length + 15) : 0;
        long long rest = body - (long long)(held - (end + 4 - buffer));
        while (rest > 0) {
            count = take(fd, buffer, sizeof buffer);
            if (count <= 0) fail("recv");
            rest -= count;
        }
        return body;
    }
}

static int tunnel(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons(proxy_port ? proxy_port : atoi(strchr(target, ':') + 1));
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!proxy_port) {
        if (context) secure(fd);
        return fd;
    }
    char text[512];
    snprintf(text, sizeof text, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", target, target);
    say(fd, text);
    size_t held = 0;
    while (held < 4 || memcmp(buffer + held - 4, "\r\n\r\n", 4) != 0) {
        ssize_t count = take(fd, buffer + held, 1024);
        if (count <= 0) fail("recv");
        held += count;
    }
    if (memcmp(buffer + 9, "200", 3) != 0) {
        errno = EACCES;
        fail("CONNECT");
    }
    if (context) secure(fd);
    return fd;
}

static int compare(const void *left, const void *right) {
    double difference = *(const double *)left - *(const double *)right;
    return difference < 0 ? -1 : difference > 0;
}

int main(int count, char **words) {
    if (count != 5 && count != 6) fail("usage");
    proxy_port = atoi(words[1]);
    target = words[2];
    long long amount = atoll(words[4]);
    if (count == 6) trust(words[5]);
    char small[512], large[512];
    const char *form = "GET /%s HTTP/1.1\r\nHost: %.*s\r\n\r\n";
    // A server's ordinary port is not said.
    const int host = (int)(strstr(target, ":443") ? strcspn(target, ":") : strlen(target));
    snprintf(small, sizeof small, form, "small", host, target);
    snprintf(large, sizeof large, form, "large", host, target);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (strcmp(words[3], "idle") == 0) {
        for (long long index = 0; index < amount; index++) {
            int fd = tunnel();
            say(fd, small);
            response(fd);
        }
        puts("ready");
        fflush(stdout);
        (void)!read(0, buffer, 1);
        return 0;
    }
    if (strcmp(words[3], "get") == 0) {
        double began = now();
        int fd = tunnel();
        say(fd, large);
        if (response(fd) != amount) fail("another size");
        printf("%.6f 0\n", now() - began);
        return 0;
    }
    int keeps = strcmp(words[3], "keep") == 0;
    double *times = calloc(amount, sizeof *times);
    int fd = keeps ? tunnel() : -1;
    double began = now();
    for (long long index = 0; index < amount; index++) {
        double started = now();
        if (!keeps) fd = tunnel();
        say(fd, small);
        response(fd);
        if (!keeps) leave(fd);
        times[index] = now() - started;
    }
    double seconds = now() - began;
    qsort(times, amount, sizeof *times, compare);
    printf("%.6f %.2f\n", seconds, times[amount / 2] * 1e6);
    return 0;
}
