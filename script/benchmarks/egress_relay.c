// A CONNECT relay without any policy: the least that a proxy can be. A thread for each direction.
//
// usage: egress_relay PORT
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct pair {
    int from, to;
};

static void copy(int from, int to) {
    char buffer[1 << 17];
    for (;;) {
        ssize_t count = recv(from, buffer, sizeof buffer, 0);
        if (count <= 0) break;
        for (ssize_t sent = 0; sent < count;) {
            ssize_t part = send(to, buffer + sent, count - sent, MSG_NOSIGNAL);
            if (part <= 0) break;
            sent += part;
        }
    }
    shutdown(to, SHUT_WR);
}

static void *copy_back(void *argument) {
    struct pair *pair = argument;
    copy(pair->to, pair->from);
    return NULL;
}

static void *serve(void *argument) {
    int client = (int)(long)argument, port = 0, one = 1;
    char head[4096];
    size_t held = 0;
    while (held < 4 || memcmp(head + held - 4, "\r\n\r\n", 4) != 0) {
        ssize_t count = recv(client, head + held, sizeof head - 1 - held, 0);
        if (count <= 0) goto end;
        held += count;
    }
    head[held] = 0;
    if (sscanf(head, "CONNECT %*[^:]:%d", &port) != 1) goto end;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons(port);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(server, (struct sockaddr *)&address, sizeof address) == 0) {
        setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        const char *ready = "HTTP/1.1 200 OK\r\n\r\n";
        send(client, ready, strlen(ready), MSG_NOSIGNAL);
        struct pair pair = {client, server};
        pthread_t back;
        pthread_create(&back, NULL, copy_back, &pair);
        copy(client, server);
        pthread_join(back, NULL);
    }
    close(server);
end:
    close(client);
    return NULL;
}

int main(int count, char **words) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (count != 2) return 2;
    address.sin_port = htons(atoi(words[1]));
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 4096) != 0) return 1;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 512 << 10);
    for (;;) {
        int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        pthread_t thread;
        if (client >= 0 && pthread_create(&thread, &attributes, serve, (void *)(long)client) != 0) close(client);
    }
}
