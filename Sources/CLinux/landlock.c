#define _GNU_SOURCE
#include "include/clinux.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

// The kernel's own header may be older than the kernel, so the interface is written out: linux/landlock.h, ABI 1 to 7.

enum {
    EXECUTE = 1 << 0,
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_DIR = 1 << 3,
    REMOVE_DIR = 1 << 4,
    REMOVE_FILE = 1 << 5,
    MAKE_CHAR = 1 << 6,
    MAKE_DIR = 1 << 7,
    MAKE_REG = 1 << 8,
    MAKE_SOCK = 1 << 9,
    MAKE_FIFO = 1 << 10,
    MAKE_BLOCK = 1 << 11,
    MAKE_SYM = 1 << 12,
    REFER = 1 << 13,     // ABI 2
    TRUNCATE = 1 << 14,  // ABI 3
    IOCTL_DEV = 1 << 15, // ABI 5
};

struct ruleset_attributes {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped; // ABI 6: 1 abstract sockets, 2 signals
};

struct path_beneath {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));

static uint64_t known_rights(int abi) {
    uint64_t rights = (1 << 13) - 1;
    if (abi >= 2) rights |= REFER;
    if (abi >= 3) rights |= TRUNCATE;
    if (abi >= 5) rights |= IOCTL_DEV;
    return rights;
}

int bailey_landlock_abi(void) { return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, 1); }

int bailey_landlock_create(int abi) {
    struct ruleset_attributes attributes = {.handled_access_fs = known_rights(abi), .scoped = abi >= 6 ? 3 : 0};
    size_t size = abi >= 6 ? sizeof attributes : abi >= 4 ? 16 : 8;
    return (int)syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
}

int bailey_landlock_close(int may_bind) {
    int abi = bailey_landlock_abi();
    if (abi < 1) return -1;
    struct ruleset_attributes attributes = {.handled_access_fs = known_rights(abi),
                                            .handled_access_net = abi >= 4 && !may_bind ? 1 /* BIND_TCP */ : 0,
                                            .scoped = abi >= 6 ? 3 : 0};
    size_t size = abi >= 6 ? sizeof attributes : abi >= 4 ? 16 : 8;
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
    if (ruleset < 0) return -1;
    int result = bailey_landlock_restrict(ruleset);
    int saved = errno;
    close(ruleset);
    errno = saved;
    return result;
}

int bailey_landlock_allow(int ruleset, int abi, int directory, unsigned access, int is_directory) {
    uint64_t rights = 0;
    if (access & BAILEY_LANDLOCK_READ) rights |= EXECUTE | READ_FILE | READ_DIR;
    if (access & BAILEY_LANDLOCK_WRITE)
        rights |= WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SOCK | MAKE_FIFO | MAKE_SYM |
                  REFER | TRUNCATE;
    if (access & BAILEY_LANDLOCK_DEVICE) rights |= WRITE_FILE | TRUNCATE | IOCTL_DEV;
    if (!is_directory) rights &= EXECUTE | READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEV;
    struct path_beneath rule = {.allowed_access = rights & known_rights(abi), .parent_fd = directory};
    return (int)syscall(SYS_landlock_add_rule, ruleset, 1 /* LANDLOCK_RULE_PATH_BENEATH */, &rule, 0);
}

int bailey_landlock_restrict(int ruleset) { return (int)syscall(SYS_landlock_restrict_self, ruleset, 0); }
