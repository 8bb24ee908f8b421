#define _GNU_SOURCE
#include "include/clinux.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// Messages between processes, with a descriptor.

static int send_message(int socket, const void *message, size_t bytes, int descriptor, int flags) {
    struct iovec part = {.iov_base = (void *)(uintptr_t)message, .iov_len = bytes};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor >= 0) {
        header.msg_control = control.bytes;
        header.msg_controllen = sizeof control.bytes;
        struct cmsghdr *item = CMSG_FIRSTHDR(&header);
        item->cmsg_level = SOL_SOCKET;
        item->cmsg_type = SCM_RIGHTS;
        item->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(item), &descriptor, sizeof(int));
    }
    ssize_t sent;
    do sent = sendmsg(socket, &header, MSG_NOSIGNAL | flags);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0;
}

int bailey_send(int socket, const void *message, size_t bytes, int descriptor) {
    return send_message(socket, message, bytes, descriptor, 0);
}

int bailey_send_now(int socket, const void *message, size_t bytes, int descriptor) {
    return send_message(socket, message, bytes, descriptor, MSG_DONTWAIT);
}

long bailey_receive(int socket, void *message, size_t bytes, int *descriptor, int waits) {
    struct iovec part = {.iov_base = message, .iov_len = bytes};
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr header = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    *descriptor = -1;
    ssize_t count;
    do count = recvmsg(socket, &header, MSG_CMSG_CLOEXEC | (waits ? 0 : MSG_DONTWAIT));
    while (count < 0 && errno == EINTR);
    if (count < 0) return -1;
    int found[2] = {-1, -1};
    size_t number = 0;
    for (struct cmsghdr *item = CMSG_FIRSTHDR(&header); item; item = CMSG_NXTHDR(&header, item)) {
        if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS) continue;
        size_t here = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < here && number < 2; i++)
            memcpy(&found[number++], CMSG_DATA(item) + i * sizeof(int), sizeof(int));
    }
    if (number > 1 || header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        for (size_t i = 0; i < number; i++) close(found[i]);
        errno = EMSGSIZE;
        return -1;
    }
    *descriptor = found[0];
    return count;
}

int bailey_is_packet_link(int fd) {
    int type = 0, domain = 0;
    socklen_t size = sizeof type;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return 0;
    size = sizeof domain;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0) return 0;
    return type == SOCK_SEQPACKET && domain == AF_UNIX;
}
