// Clients of a service that runs models, timed, all at once.
//
// usage: stream_client ADDRESS PORT NAME ROOT streams COUNT           a stream each
//        stream_client ADDRESS PORT NAME ROOT requests COUNT EACH     so many requests each, one after the other
// ROOT is the file with the only root that the server's certificate may come from, or `-` for plain HTTP. Prints
// microseconds: `streams` median and 99th percentile of the time to the first frame, then of a frame's way from the
// service to here, and the frames of all; `requests` median and 99th percentile of a request, and requests a second.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TIMES_MAX = 1 << 20 };

static SSL_CTX *context;
static const char *name, *address, *port;
static int is_streaming, each;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t start;
static double firsts[TIMES_MAX], times[TIMES_MAX];
static int firsts_count, times_count;

static long long nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "stream_client: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

struct Way {
    int fd;
    SSL *session;
};

static int put(struct Way *way, const char *text) {
    int length = (int)strlen(text);
    return (way->session ? SSL_write(way->session, text, length) : send(way->fd, text, length, MSG_NOSIGNAL)) == length;
}

static int take(struct Way *way, char *bytes, int length) {
    return way->session ? SSL_read(way->session, bytes, length) : (int)recv(way->fd, bytes, length, 0);
}

static struct Way opened(void) {
    struct Way way = {socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), NULL};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    int one = 1;
    inet_pton(AF_INET, address, &to.sin_addr);
    if (connect(way.fd, (struct sockaddr *)&to, sizeof to) != 0) fail("connect");
    setsockopt(way.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!context) return way;
    way.session = SSL_new(context);
    SSL_set_fd(way.session, way.fd);
    SSL_set_tlsext_host_name(way.session, name);
    SSL_set1_host(way.session, name);
    if (SSL_connect(way.session) != 1) fail("handshake");
    return way;
}

static void ask(struct Way *way, int streams) {
    char body[256], text[1024];
    snprintf(body, sizeof body,
             "{\"model\":\"mock\",\"max_tokens\":100,\"messages\":[{\"role\":\"user\",\"content\":\"go\"}]%s}",
             streams ? ",\"stream\":true" : "");
    snprintf(text, sizeof text,
             "POST /v1/chat/completions HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer none\r\n"
             "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", name, strlen(body), body);
    if (!put(way, text)) fail("send");
}

static void note(double *list, int *count, double value) {
    pthread_mutex_lock(&lock);
    if (*count < TIMES_MAX) list[(*count)++] = value;
    pthread_mutex_unlock(&lock);
}

// Reads until the last frame; a frame's moment can come in two pieces.
static void read_stream(struct Way *way, long long asked) {
    char held[1 << 16];
    int count = 0, seen = 0;
    for (;;) {
        int got = take(way, held + count, (int)sizeof held - 1 - count);
        long long now = nanoseconds();
        if (got <= 0) fail("the stream ended before its last frame");
        count += got;
        held[count] = 0;
        char *rest = held;
        for (char *at; (at = strstr(rest, "t=")) && strchr(at, ';');) {
            if (!seen++) note(firsts, &firsts_count, (double)(now - asked) / 1000);
            note(times, &times_count, (double)(now - atoll(at + 2)) / 1000);
            rest = strchr(at, ';');
        }
        if (strstr(rest, "[DONE]")) return;
        if (strncmp(held, "HTTP/1.1 200", 12) != 0 && !seen) fail(held);
        // What may be the beginning of a moment, or of the end, is kept; the head of the answer is, too.
        int kept = (int)(held + count - rest);
        if (seen && kept > 64) rest += kept - 64, kept = 64;
        if (seen) memmove(held, rest, kept), count = kept;
    }
}

static void read_whole(struct Way *way) {
    char held[1 << 14];
    int count = 0;
    for (;;) {
        int got = take(way, held + count, (int)sizeof held - 1 - count);
        if (got <= 0) fail("the answer is cut");
        count += got;
        held[count] = 0;
        char *end = strstr(held, "\r\n\r\n"), *length = strcasestr(held, "content-length:");
        if (!end) continue;
        if (strncmp(held, "HTTP/1.1 200", 12) != 0) fail(held);
        if (length && length < end && count >= (int)(end + 4 - held) + atoi(length + 15)) return;
        if (!(length && length < end) && strstr(end, "\r\n0\r\n\r\n")) return;
    }
}

static void *work(void *argument) {
    (void)argument;
    struct Way way = opened();
    // One that is not timed, so that the connection behind a gateway is there.
    ask(&way, 0);
    read_whole(&way);
    pthread_barrier_wait(&start);
    for (int index = 0; index < each; index++) {
        long long asked = nanoseconds();
        ask(&way, is_streaming);
        if (is_streaming) {
            read_stream(&way, asked);
        } else {
            read_whole(&way);
            note(times, &times_count, (double)(nanoseconds() - asked) / 1000);
        }
    }
    SSL_free(way.session);
    close(way.fd);
    return NULL;
}

static int compare(const void *left, const void *right) {
    double difference = *(const double *)left - *(const double *)right;
    return difference < 0 ? -1 : difference > 0;
}

static double part(double *list, int count, double share) {
    if (count == 0) fail("nothing was measured");
    qsort(list, count, sizeof *list, compare);
    return list[(int)((count - 1) * share)];
}

int main(int count, char **words) {
    if (count != 7 && count != 8) fail("usage");
    address = words[1];
    port = words[2];
    name = words[3];
    is_streaming = strcmp(words[5], "streams") == 0;
    int clients = atoi(words[6]);
    each = count == 8 ? atoi(words[7]) : 1;
    if (strcmp(words[4], "-") != 0) {
        context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
        if (SSL_CTX_load_verify_locations(context, words[4], NULL) != 1) fail("trust the root");
    }
    pthread_barrier_init(&start, NULL, clients + 1);
    pthread_t threads[clients];
    for (int index = 0; index < clients; index++) pthread_create(&threads[index], NULL, work, NULL);
    pthread_barrier_wait(&start);
    long long began = nanoseconds();
    for (int index = 0; index < clients; index++) pthread_join(threads[index], NULL);
    double seconds = (double)(nanoseconds() - began) / 1e9;
    if (is_streaming) {
        printf("%.1f %.1f ", part(firsts, firsts_count, 0.5), part(firsts, firsts_count, 0.99));
        printf("%.1f %.1f %d\n", part(times, times_count, 0.5), part(times, times_count, 0.99), times_count);
    } else {
        printf("%.1f %.1f %.1f\n", part(times, times_count, 0.5), part(times, times_count, 0.99),
               times_count / seconds);
    }
    return 0;
}
