// Attempts on the network and on sockets of the host. The host helper answers every message with the marker, so that an
// answer, and not a successful call, shows that the host was reached.
#define _GNU_SOURCE
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MILLISECONDS 300
#define VISIT_MILLISECONDS 1500

union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    struct sockaddr_un local;
};

static int holds_marker(int file, int milliseconds) {
    struct pollfd wait = {.fd = file, .events = POLLIN};
    char text[512];
    if (poll(&wait, 1, milliseconds) != 1) return 0;
    ssize_t count = recv(file, text, sizeof text - 1, 0);
    if (count <= 0) return 0;
    text[count] = 0;
    return strstr(text, value("marker")) != NULL;
}

// Connects a stream, or sends one datagram, and waits for the marker.
static _Noreturn void reach(int type, const union address *address, socklen_t length, const char *what) {
    int file = socket(address->any.sa_family, type | SOCK_CLOEXEC, 0);
    if (file < 0) refused(errno, "socket");
    if (type == SOCK_DGRAM && address->any.sa_family == AF_UNIX) {
        // An empty address makes the kernel choose one, so that the answer finds its way back.
        sa_family_t own = AF_UNIX;
        if (bind(file, (struct sockaddr *)&own, sizeof own)) refused(errno, "bind");
    }
    if (type == SOCK_STREAM) {
        struct timeval limit = {.tv_sec = 1};
        setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    }
    if (connect(file, &address->any, length)) refused(errno, what);
    if (type == SOCK_DGRAM && send(file, "bailey", 6, 0) < 0) refused(errno, what);
    if (holds_marker(file, ANSWER_MILLISECONDS)) through("%s answered", what);
    int code = 0;
    socklen_t size = sizeof code;
    getsockopt(file, SOL_SOCKET, SO_ERROR, &code, &size);
    refused(code ? code : ETIMEDOUT, what);
}

static union address four(const char *text, int port) {
    union address address = {.four = {.sin_family = AF_INET, .sin_port = htons(port)}};
    if (inet_pton(AF_INET, text, &address.four.sin_addr) != 1) broken("not an address: %s", text);
    return address;
}

static void reach_loopback(const char *id) {
    (void)id;
    union address address = four("127.0.0.1", atoi(value("port")));
    reach(SOCK_STREAM, &address, sizeof address.four, "the host's loopback");
}

static void reach_outside(const char *id) {
    (void)id;
    if (!*value("address")) refused(EAFNOSUPPORT, "no address but loopback on this host");
    union address address = four(value("address"), atoi(value("port")));
    reach(SOCK_STREAM, &address, sizeof address.four, "the host's outer address");
}

static void send_datagram(const char *id) {
    (void)id;
    union address address = four(*value("address") ? value("address") : "127.0.0.1", atoi(value("udp")));
    reach(SOCK_DGRAM, &address, sizeof address.four, "a datagram to the host");
}

static void send_six(const char *id) {
    (void)id;
    if (!*value("udp6")) refused(EAFNOSUPPORT, "no IPv6 on this host");
    union address address = {.six = {.sin6_family = AF_INET6, .sin6_port = htons(atoi(value("udp6")))}};
    address.six.sin6_addr = in6addr_loopback;
    reach(SOCK_DGRAM, &address, sizeof address.six, "an IPv6 datagram to the host");
}

static socklen_t local(union address *address, int is_abstract, const char *name) {
    memset(address, 0, sizeof *address);
    address->local.sun_family = AF_UNIX;
    int wanted = snprintf(address->local.sun_path + is_abstract, sizeof address->local.sun_path - 1, "%s", name);
    if (wanted >= (int)sizeof address->local.sun_path - 1) broken("path too long for a socket: %s", name);
    return offsetof(struct sockaddr_un, sun_path) + is_abstract + wanted;
}

static void reach_local(const char *id) {
    union address address;
    char name[300];
    int is_datagram = !strcmp(id, "n07"), is_path = !strcmp(id, "n06") || !strcmp(id, "a57");
    if (!strcmp(id, "n06")) snprintf(name, sizeof name, "%s/host.sock", value("canary"));
    if (!strcmp(id, "a57")) snprintf(name, sizeof name, "%s/agent.sock", value("home"));
    if (!is_path) snprintf(name, sizeof name, "bailey-%s-%s", is_datagram ? "datagram" : "stream", value("nonce"));
    socklen_t length = local(&address, !is_path, name);
    reach(is_datagram ? SOCK_DGRAM : SOCK_STREAM, &address, length + is_path, "a local socket of the host");
}

static void find_known_sockets(const char *id) {
    (void)id;
    static const char *const paths[] = {"/run/docker.sock",
                                        "/var/run/docker.sock",
                                        "/run/dbus/system_bus_socket",
                                        "/run/systemd/private",
                                        "/run/systemd/journal/socket",
                                        "/run/containerd/containerd.sock",
                                        "/run/podman/podman.sock",
                                        "/run/libvirt/libvirt-sock",
                                        "/tmp/.X11-unix/X0",
                                        "/run/user/1000/bus",
                                        "/run/user/0/bus",
                                        "/dev/log",
                                        NULL};
    for (const char *const *path = paths; *path; path++)
        if (access(*path, F_OK) == 0) through("%s is visible", *path);
    if (is_control() && access(canary("host.sock"), F_OK) == 0) through("the host's stand-in is visible");
    if (access(canary("host.sock"), F_OK) == 0) through("the canary's socket is visible");
    refused(ENOENT, "see any well-known socket");
}

struct family {
    const char *id, *name;
    int domain, type, protocol;
};

static const struct family families[] = {
    {"n08", "raw ICMP", AF_INET, SOCK_RAW, 1},        {"n09", "ping", AF_INET, SOCK_DGRAM, 1},
    {"n10", "packet", AF_PACKET, SOCK_RAW, 0},        {"n11", "netlink route", AF_NETLINK, SOCK_RAW, 0},
    {"n12", "netlink audit", AF_NETLINK, SOCK_RAW, 9}, {"n13", "netlink netfilter", AF_NETLINK, SOCK_RAW, 12},
    {"n13b", "netlink xfrm", AF_NETLINK, SOCK_RAW, 6}, {"n14", "vsock", 40, SOCK_STREAM, 0},
    {"n15", "AF_ALG", 38, SOCK_SEQPACKET, 0},         {"n16", "MPTCP", AF_INET, SOCK_STREAM, 262},
    {"n17", "SCTP", AF_INET, SOCK_STREAM, 132},       {"n18", "TIPC", 30, SOCK_STREAM, 0},
    {"n18", "CAN", 29, SOCK_RAW, 1},                  {"n18", "Bluetooth", 31, SOCK_RAW, 1},
    {"n18", "XDP", 44, SOCK_RAW, 0},                  {"n18", "AppleTalk", 5, SOCK_DGRAM, 0},
    {"n18", "AF_KEY", 15, SOCK_RAW, 2},               {"n18", "RDS", 21, SOCK_SEQPACKET, 0},
    {"n18", "SMC", 43, SOCK_STREAM, 0},               {"n18", "QIPCRTR", 42, SOCK_DGRAM, 0},
    {"n18", "PPPOX", 24, SOCK_STREAM, 0},             {"n18", "NFC", 39, SOCK_RAW, 1},
    {"n18", "RXRPC", 33, SOCK_DGRAM, 2},              {"n18", "MCTP", 45, SOCK_DGRAM, 0},
    {NULL, NULL, 0, 0, 0},
};

static int sees_only_loopback(void) {
    // Netlink, which the library's list needs, may be out of reach: ask for each number.
    int file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), others = 0;
    for (int index = 1; index < 256; index++) {
        struct ifreq request = {.ifr_ifindex = index};
        if (ioctl(file, SIOCGIFNAME, &request) == 0) others += strcmp(request.ifr_name, "lo") != 0;
    }
    close(file);
    return file >= 0 && others == 0;
}

static void make_socket(const char *id) {
    int code = 0;
    const char *name = "socket";
    for (const struct family *family = families; family->id; family++) {
        if (strcmp(family->id, id)) continue;
        name = family->name;
        if (socket(family->domain, family->type | SOCK_CLOEXEC, family->protocol) >= 0) {
            int is_own = is_confined() && sees_only_loopback() && (!strcmp(id, "n11") || !strcmp(id, "n16"));
            if (is_own) private_only("%s in a network of its own", name);
            through("made a socket: %s", name);
        }
        // A refusal says more than an absent protocol.
        if (code == 0 || code == EAFNOSUPPORT || code == EPROTONOSUPPORT) code = errno;
    }
    refused(code, name);
}

// Listens on a port that the host helper visits all the time.
static void listen_for_host(const char *id) {
    (void)id;
    union address address = four("0.0.0.0", atoi(value("visit")));
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (file < 0) refused(errno, "socket");
    setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(file, &address.any, sizeof address.four) || listen(file, 4)) refused(errno, "listen");
    struct pollfd wait = {.fd = file, .events = POLLIN};
    if (poll(&wait, 1, VISIT_MILLISECONDS) != 1) private_only("nobody came");
    int visitor = accept(file, NULL, NULL);
    if (visitor >= 0 && holds_marker(visitor, ANSWER_MILLISECONDS)) through("the host came in");
    private_only("somebody else came");
}

static void nested_packets(const char *id) {
    (void)id;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET)) refused(errno, "a network namespace");
    if (socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0) < 0) refused(errno, "a packet socket");
    through("made a packet socket in its own network");
}

const struct probe socket_probes[] = {
    {"n01", reach_loopback},
    {"n02", reach_outside},
    {"n03", send_datagram},
    {"n04", send_six},
    {"n05", reach_local},
    {"n06", reach_local},
    {"n07", reach_local},
    {"n08", make_socket},
    {"n09", make_socket},
    {"n10", make_socket},
    {"n11", make_socket},
    {"n12", make_socket},
    {"n13", make_socket},
    {"n13b", make_socket},
    {"n14", make_socket},
    {"n15", make_socket},
    {"n16", make_socket},
    {"n17", make_socket},
    {"n18", make_socket},
    {"n19", listen_for_host},
    {"n20", nested_packets},
    {"a57", reach_local},
    {"a57b", find_known_sockets},
    {NULL, NULL},
};
