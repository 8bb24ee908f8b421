// Attempts to hand a descriptor from one sandbox to another, over a socket where both can write.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define WAIT_SECONDS 4

static struct sockaddr_un meeting_place(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    // The path of a home may be too long for a socket's name.
    if (chdir(value("home"))) broken("enter the home: %s", error_name(errno));
    mkdir(".cache", 0755);
    snprintf(address.sun_path, sizeof address.sun_path, ".cache/meet-%s", value("nonce"));
    return address;
}

static void hand_over(const char *id) {
    (void)id;
    int project = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct sockaddr_un address = meeting_place();
    unlink(address.sun_path);
    int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (project < 0 || bind(file, (struct sockaddr *)&address, sizeof address) || listen(file, 1))
        broken("listen: %s", error_name(errno));
    time_t end = time(NULL) + WAIT_SECONDS;
    for (struct pollfd wait = {.fd = file, .events = POLLIN}; time(NULL) < end;) {
        if (poll(&wait, 1, 200) != 1) continue;
        int guest = accept(file, NULL, NULL);
        char byte = 'x', control[CMSG_SPACE(sizeof(int))] = {0};
        struct iovec part = {&byte, 1};
        struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        struct cmsghdr *item = CMSG_FIRSTHDR(&message);
        *item = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(item), &project, sizeof project);
        if (sendmsg(guest, &message, 0) < 0) break;
        close(guest);
    }
    unlink(address.sun_path);
    private_only("the time is over");
}

static void take_over(const char *id) {
    (void)id;
    struct sockaddr_un address = meeting_place();
    int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), project = -1;
    if (connect(file, (struct sockaddr *)&address, sizeof address)) refused(errno, "meet the other sandbox");
    char byte, control[CMSG_SPACE(sizeof(int))];
    struct iovec part = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(file, &message, MSG_CMSG_CLOEXEC) < 0) refused(errno, "take a descriptor");
    struct cmsghdr *item = CMSG_FIRSTHDR(&message);
    if (!item || item->cmsg_type != SCM_RIGHTS) refused(ENOMSG, "take a descriptor");
    memcpy(&project, CMSG_DATA(item), sizeof project);
    int planted = openat(project, "planted-a56", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    if (planted < 0) refused(errno, "write with the other sandbox's descriptor");
    unlinkat(project, "planted-a56", 0);
    through("wrote the other sandbox's working copy");
}

const struct probe handover_probes[] = {
    {"a56", hand_over},
    {"a56b", take_over},
    {NULL, NULL},
};
