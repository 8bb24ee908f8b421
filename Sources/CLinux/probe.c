#define _GNU_SOURCE
#include "include/clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int bailey_probe_open(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return 0;
    close(fd);
    return 1;
}

int bailey_probe_create(const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return errno == EACCES || errno == EROFS || errno == EPERM ? 0 : 1;
    close(fd);
    return 1;
}

int bailey_probe_connect(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9)};
    address.sin_addr.s_addr = htonl(0xC0000201); // 192.0.2.1, TEST-NET-1 of RFC 5737
    int result = connect(fd, (struct sockaddr *)&address, sizeof address);
    int refused = result != 0 && (errno == ENETUNREACH || errno == EACCES || errno == EPERM);
    close(fd);
    return refused ? 0 : 1;
}

int bailey_probe_mount(void) {
    long result = syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL);
    return result != 0 && (errno == EPERM || errno == ENOSYS) ? 0 : 1;
}

int bailey_probe_privileges(unsigned user) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) != 0) return 1;
    for (int i = 0; i < 2; i++)
        if (data[i].effective || data[i].permitted || data[i].inheritable) return 1;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return 1;
    if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 2) return 1;
    return getuid() == user && geteuid() == user && user != 0 ? 0 : 1;
}
