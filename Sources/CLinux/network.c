#define _GNU_SOURCE
#include "include/clinux.h"

#include <errno.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// The first interface of every network namespace.
#define LOOPBACK_INDEX 1
// More than a server accepts at a time; the kernel cuts it to what it allows.
#define BACKLOG 1024

struct route_request {
    struct nlmsghdr header;
    struct rtmsg route;
    char attributes[RTA_SPACE(16) + RTA_SPACE(sizeof(int))];
};

static void add_attribute(struct route_request *request, unsigned short type, const void *value, size_t bytes) {
    struct rtattr *attribute = (struct rtattr *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));
    attribute->rta_type = type;
    attribute->rta_len = (unsigned short)RTA_LENGTH(bytes);
    memcpy(RTA_DATA(attribute), value, bytes);
    request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
}

int bailey_route_local(int family, const uint8_t *address, unsigned prefix_bits) {
    struct route_request request = {
        .header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
                   .nlmsg_type = RTM_NEWROUTE,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL},
        .route = {.rtm_family = (unsigned char)family,
                  .rtm_dst_len = (unsigned char)prefix_bits,
                  .rtm_table = RT_TABLE_LOCAL,
                  .rtm_protocol = RTPROT_BOOT,
                  .rtm_scope = RT_SCOPE_HOST,
                  .rtm_type = RTN_LOCAL},
    };
    int loopback = LOOPBACK_INDEX;
    add_attribute(&request, RTA_DST, address, family == AF_INET ? 4 : 16);
    add_attribute(&request, RTA_OIF, &loopback, sizeof loopback);
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) return -1;
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        char rest[sizeof(struct route_request)];
    } answer = {0};
    if (sendto(fd, &request, request.header.nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0)
        return bailey_abandon(fd);
    ssize_t count;
    do count = recv(fd, &answer, sizeof answer, 0);
    while (count < 0 && errno == EINTR);
    if (count < 0) return bailey_abandon(fd);
    close(fd);
    if (count < (ssize_t)(sizeof answer.header + sizeof(int)) || answer.header.nlmsg_type != NLMSG_ERROR) {
        errno = EBADMSG;
        return -1;
    }
    errno = -answer.error.error;
    return answer.error.error == 0 ? 0 : -1;
}

int bailey_listen(int family, const uint8_t *address, unsigned port, int is_datagram) {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } place = {0};
    socklen_t length;
    if (family == AF_INET) {
        place.v4.sin_family = AF_INET;
        place.v4.sin_port = htons((uint16_t)port);
        memcpy(&place.v4.sin_addr, address, 4);
        length = sizeof place.v4;
    } else if (family == AF_INET6) {
        place.v6.sin6_family = AF_INET6;
        place.v6.sin6_port = htons((uint16_t)port);
        memcpy(&place.v6.sin6_addr, address, 16);
        length = sizeof place.v6;
    } else {
        errno = EAFNOSUPPORT;
        return -1;
    }
    int fd = socket(family, (is_datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    int only_v6 = IN6_IS_ADDR_UNSPECIFIED(&place.v6.sin6_addr) ? 0 : 1;
    if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof only_v6) != 0)
        return bailey_abandon(fd);
    if (bind(fd, &place.any, length) != 0) return bailey_abandon(fd);
    if (!is_datagram && listen(fd, BACKLOG) != 0) return bailey_abandon(fd);
    return fd;
}

// A stream socket and its own machine's loopback address.
static int on_loopback(int family, unsigned port, struct sockaddr_in6 *place, socklen_t *length) {
    memset(place, 0, sizeof *place);
    if (family == AF_INET) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)place;
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        *length = sizeof *v4;
    } else {
        place->sin6_family = AF_INET6;
        place->sin6_port = htons((uint16_t)port);
        place->sin6_addr.s6_addr[15] = 1;
        *length = sizeof *place;
    }
    return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

int bailey_connect_loopback(int family, unsigned port) {
    struct sockaddr_in6 place;
    socklen_t length;
    int fd = on_loopback(family, port, &place, &length);
    if (fd < 0) return -1;
    if (connect(fd, (struct sockaddr *)&place, length) != 0 && errno != EINPROGRESS) return bailey_abandon(fd);
    return fd;
}

int bailey_listen_loopback(int family, unsigned port) {
    struct sockaddr_in6 place;
    socklen_t length;
    int yes = 1, fd = on_loopback(family, port, &place, &length);
    if (fd < 0) return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0) return bailey_abandon(fd);
    if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes) != 0)
        return bailey_abandon(fd);
    if (bind(fd, (struct sockaddr *)&place, length) != 0 || listen(fd, BACKLOG) != 0) return bailey_abandon(fd);
    return fd;
}

int bailey_socket_namespace(int socket) { return ioctl(socket, SIOCGSKNS); }

int bailey_owner_namespace(int name_space) { return ioctl(name_space, NS_GET_USERNS); }

int bailey_join(int name_space, int kind) { return (int)syscall(SYS_setns, name_space, kind); }
