// The host's side of the suite: everything that an attempt may try to reach, in one process that ends with its input.
#define _GNU_SOURCE
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/prctl.h>
#include <mqueue.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

enum { STREAM, STREAM_LOCAL, STREAM_PATH, STREAM_AGENT, DATAGRAM, DATAGRAM_SIX, DATAGRAM_LOCAL, INPUT, SERVICES };
#define VISIT_EVERY_MILLISECONDS 50

static int fail(const char *what) {
    fprintf(stderr, "host: %s: %s\n", what, strerror(errno));
    return -1;
}

static int bound(int type, struct sockaddr *address, socklen_t length) {
    int file = socket(address->sa_family, type | SOCK_CLOEXEC, 0);
    if (file < 0 || bind(file, address, length)) return fail("bind");
    if (type == SOCK_STREAM && listen(file, 64)) return fail("listen");
    return file;
}

static int bound_four(int type, int *port) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int file = bound(type, (struct sockaddr *)&address, length);
    if (file < 0 || getsockname(file, (struct sockaddr *)&address, &length)) return fail("getsockname");
    *port = ntohs(address.sin_port);
    return file;
}

static int bound_six(int *port) {
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t length = sizeof address;
    int file = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (file < 0 || bind(file, (struct sockaddr *)&address, length)) return -1;
    if (getsockname(file, (struct sockaddr *)&address, &length)) return -1;
    *port = ntohs(address.sin6_port);
    return file;
}

static int bound_local(int type, int is_abstract, const char *directory, const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char path[sizeof address.sun_path];
    int wanted = is_abstract ? snprintf(path, sizeof path - 1, "bailey-%s-%s", name, value("nonce"))
                             : snprintf(path, sizeof path - 1, "%s/%s", directory, name);
    if (wanted >= (int)sizeof path - 1) return fprintf(stderr, "host: path too long for a socket\n"), -1;
    strcpy(address.sun_path + is_abstract, path);
    if (!is_abstract) unlink(path);
    socklen_t length = offsetof(struct sockaddr_un, sun_path) + wanted + 1;
    return bound(type, (struct sockaddr *)&address, length);
}

static int shared_memory(int *key) {
    *key = (int)(strtoul(value("nonce"), NULL, 16) & 0x7fffffff) | 1;
    int segment = shmget(*key, 4096, IPC_CREAT | IPC_EXCL | 0600);
    if (segment < 0) return fail("shmget");
    char *memory = shmat(segment, NULL, 0);
    if (memory == (void *)-1) return fail("shmat");
    snprintf(memory, 4096, "%s", value("marker"));
    return segment;
}

static mqd_t message_queue(char name[64]) {
    struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 64};
    snprintf(name, 64, "/bailey-host-%s", value("nonce"));
    return mq_open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600, &attributes);
}

static void outer_address(char text[INET_ADDRSTRLEN]) {
    struct ifaddrs *list = NULL;
    *text = 0;
    if (getifaddrs(&list)) return;
    for (struct ifaddrs *one = list; one && !*text; one = one->ifa_next)
        if (one->ifa_addr && one->ifa_addr->sa_family == AF_INET && !(one->ifa_flags & IFF_LOOPBACK))
            inet_ntop(AF_INET, &((struct sockaddr_in *)one->ifa_addr)->sin_addr, text, INET_ADDRSTRLEN);
    freeifaddrs(list);
}

// A port that nothing listens on, for attempts to listen on. It lies below those that the kernel gives to callers, so
// that no connection of anybody's takes it meanwhile, our own visits included.
static int free_port(void) {
    for (int attempt = 0; attempt < 100; attempt++) {
        int port = 20000 + (int)((strtoul(value("nonce"), NULL, 16) + attempt * 97) % 10000);
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
        int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int is_free = file >= 0 && bind(file, (struct sockaddr *)&address, sizeof address) == 0;
        if (file >= 0) close(file);
        if (is_free) return port;
    }
    return -1;
}

static void visit(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (file < 0) return;
    if (connect(file, (struct sockaddr *)&address, sizeof address) == 0)
        (void)!write(file, value("marker"), strlen(value("marker")));
    close(file);
}

static void answer(int service, int file) {
    const char *marker = value("marker");
    if (service <= STREAM_AGENT) {
        int peer = accept4(file, NULL, NULL, SOCK_CLOEXEC);
        if (peer < 0) return;
        (void)!write(peer, marker, strlen(marker));
        close(peer);
        return;
    }
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    char text[64];
    if (recvfrom(file, text, sizeof text, MSG_DONTWAIT, (struct sockaddr *)&from, &length) >= 0)
        sendto(file, marker, strlen(marker), MSG_DONTWAIT, (struct sockaddr *)&from, length);
}

int host_main(void) {
    int port = 0, udp = 0, udp6 = 0, key = 0, visited = free_port();
    char address[INET_ADDRSTRLEN];
    // Where Yama restricts tracing, allow it: an attempt must fail by the wall, not by this.
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
    struct pollfd services[SERVICES];
    for (int service = 0; service < SERVICES; service++)
        services[service] = (struct pollfd){.fd = -1, .events = POLLIN};
    services[STREAM].fd = bound_four(SOCK_STREAM, &port);
    services[STREAM_LOCAL].fd = bound_local(SOCK_STREAM, 1, "", "stream");
    services[STREAM_PATH].fd = bound_local(SOCK_STREAM, 0, value("canary"), "host.sock");
    services[STREAM_AGENT].fd = bound_local(SOCK_STREAM, 0, value("home"), "agent.sock");
    services[DATAGRAM].fd = bound_four(SOCK_DGRAM, &udp);
    services[DATAGRAM_LOCAL].fd = bound_local(SOCK_DGRAM, 1, "", "datagram");
    services[INPUT].fd = 0;
    for (int service = 0; service < SERVICES; service++)
        if (services[service].fd < 0 && service != DATAGRAM_SIX) return 1;
    services[DATAGRAM_SIX].fd = bound_six(&udp6);
    int segment = shared_memory(&key);
    if (segment < 0) return 1;
    char queue[64];
    if (message_queue(queue) == (mqd_t)-1) return fail("mq_open"), 1;
    outer_address(address);
    printf("port=%d udp=%d shm=%d pid=%d visit=%d", port, udp, key, getpid(), visited);
    if (udp6) printf(" udp6=%d", udp6);
    if (*address) printf(" address=%s", address);
    printf("\n");
    fflush(stdout);
    while (!services[INPUT].revents) {
        visit(visited);
        if (poll(services, SERVICES, VISIT_EVERY_MILLISECONDS) <= 0) continue;
        for (int service = 0; service < INPUT; service++)
            if (services[service].revents) answer(service, services[service].fd);
    }
    shmctl(segment, IPC_RMID, NULL);
    mq_unlink(queue);
    return 0;
}

int with_key_main(char **arguments) {
    const char *name = arguments[0];
    if (!name || !arguments[1]) return 2;
    if (syscall(SYS_keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, NULL) < 0) perror("join a session keyring");
    else if (syscall(SYS_add_key, "user", name, "canary", 6, -3 /* session */) < 0) perror("add a key");
    execvp(arguments[1], arguments + 1);
    return perror(arguments[1]), 127;
}
