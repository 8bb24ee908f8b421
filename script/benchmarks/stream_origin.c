// A service that runs models, for measuring: answers each request at once, as a stream of frames that say when they
// were sent, or whole.
//
// usage: stream_origin PORT CERTIFICATE KEY FRAMES MILLISECONDS      frames of a stream, and the time between them
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_BYTES = 1 << 20, FRAME_BYTES = 1024 };

static SSL_CTX *context;
static int frames, milliseconds;

static long long nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int say(SSL *session, const char *text) {
    return SSL_write(session, text, (int)strlen(text)) > 0;
}

static int chunk(SSL *session, const char *text) {
    char framed[FRAME_BYTES + 32];
    snprintf(framed, sizeof framed, "%zx\r\n%s\r\n", strlen(text), text);
    return say(session, framed);
}

static int frame(SSL *session, const char *choices, const char *usage) {
    char text[FRAME_BYTES];
    snprintf(text, sizeof text,
             "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"mock\","
             "\"choices\":[%s]%s}\n\n", choices, usage);
    return chunk(session, text);
}

static int stream(SSL *session, int with_usage) {
    if (!say(session, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"))
        return 0;
    for (int index = 0; index < frames; index++) {
        // Streams that begin together do not stay together, as those of a real service do not.
        long wait = index == 0 ? 0 : index == 1 ? random() % (milliseconds + 1) : milliseconds;
        struct timespec pause = {0, wait * 1000000L};
        nanosleep(&pause, NULL);
        char choice[256];
        snprintf(choice, sizeof choice,
                 "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"t=%lld;\"},\"finish_reason\":null}",
                 nanoseconds());
        if (!frame(session, choice, "")) return 0;
    }
    const char *usage = ",\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":50,\"total_tokens\":60}";
    return frame(session, "{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}", "")
        && (!with_usage || frame(session, "", usage)) && chunk(session, "data: [DONE]\n\n")
        && say(session, "0\r\n\r\n");
}

static int whole(SSL *session) {
    const char *body =
        "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"mock\","
        "\"choices\":[{\"index\":0,"
        "\"message\":{\"role\":\"assistant\",\"content\":\"done\"},\"finish_reason\":\"stop\"}],"
        "\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":1,\"total_tokens\":11}}";
    char text[FRAME_BYTES];
    snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             strlen(body), body);
    return say(session, text);
}

static void *serve(void *argument) {
    int fd = (int)(long)argument;
    SSL *session = SSL_new(context);
    char *request = malloc(REQUEST_BYTES);
    SSL_set_fd(session, fd);
    int goes_on = SSL_accept(session) == 1;
    size_t held = 0;
    while (goes_on) {
        int count = SSL_read(session, request + held, (int)(REQUEST_BYTES - 1 - held));
        if (count <= 0) break;
        held += count;
        request[held] = 0;
        char *end = strstr(request, "\r\n\r\n");
        char *length = strcasestr(request, "content-length:");
        if (!end || !length || held < (size_t)(end + 4 - request) + atoll(length + 15)) continue;
        held = 0;
        int streams = strstr(end, "\"stream\":true") || strstr(end, "\"stream\": true");
        goes_on = streams ? stream(session, strstr(end, "include_usage") != NULL) : whole(session);
    }
    SSL_free(session);
    free(request);
    close(fd);
    return NULL;
}

int main(int count, char **words) {
    if (count != 6) return 2;
    signal(SIGPIPE, SIG_IGN);
    frames = atoi(words[4]);
    milliseconds = atoi(words[5]);
    context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    if (SSL_CTX_use_certificate_chain_file(context, words[2]) != 1
        || SSL_CTX_use_PrivateKey_file(context, words[3], SSL_FILETYPE_PEM) != 1)
        return 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons(atoi(words[1]));
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1024) != 0) return 1;
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, (void *)(long)fd) == 0) pthread_detach(thread);
        else close(fd);
    }
}
