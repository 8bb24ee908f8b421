// Attempts on places of the machine and of the home that a sandbox has no business in.
#define _GNU_SOURCE
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static void open_first(const char *id) {
    static const struct {
        const char *id;
        int flags;
        const char *paths[8];
    } lists[] = {
        {"a34",
         O_WRONLY,
         {"/sys/fs/cgroup/memory/release_agent", "/sys/fs/cgroup/pids/release_agent", "/sys/fs/cgroup/cgroup.procs",
          "/sys/fs/cgroup/memory/notify_on_release", "/sys/kernel/uevent_helper"}},
        {"b17",
         O_WRONLY,
         {"/sys/fs/cgroup/memory/cgroup.procs", "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/unified/cgroup.procs",
          "/sys/fs/cgroup/memory/memory.limit_in_bytes"}},
    };
    for (size_t list = 0; list < sizeof lists / sizeof *lists; list++) {
        if (strcmp(lists[list].id, id)) continue;
        int code = ENOENT;
        for (const char *const *path = lists[list].paths; *path; path++) {
            if (open(*path, lists[list].flags | O_CLOEXEC) >= 0) through("opened %s", *path);
            if (errno != ENOENT) code = errno;
        }
        refused(code, "open any of them");
    }
}

// Files that tell of the host's kernel: a cover makes them empty.
static void read_kernel_files(const char *id) {
    (void)id;
    static const char *const paths[] = {"/proc/kallsyms",   "/proc/kmsg",      "/proc/timer_list", "/proc/keys",
                                        "/proc/modules",    "/proc/cmdline",   "/proc/diskstats",  "/proc/interrupts",
                                        "/proc/partitions", "/proc/config.gz", "/proc/locks",      NULL};
    int code = ENOENT;
    for (const char *const *path = paths; *path; path++) {
        char byte;
        int file = open(*path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (file >= 0 && strcmp(*path, "/proc/kmsg") && read(file, &byte, 1) == 1) through("read %s", *path);
        if (file < 0) code = errno;
    }
    refused(code, "read any of them");
}

static void mount_types(const char *id) {
    (void)id;
    static const char *const types[] = {"ramfs", "proc", "sysfs", "mqueue", "overlay", "fuse", "9p", "binder", NULL};
    if (is_control() && unshare(CLONE_NEWUSER | CLONE_NEWNS) && unshare(CLONE_NEWNS)) refused(errno, "unshare");
    if (is_control() && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) refused(errno, "make the mounts private");
    int code = 0;
    for (const char *const *type = types; *type; type++) {
        if (mount("probe", "/tmp", *type, 0, "lowerdir=/usr:/etc") == 0) through("mounted %s", *type);
        if (errno != ENODEV) code = errno;
    }
    refused(code, "mount any of eight types");
}

static void add_interface(const char *id) {
    (void)id;
    struct {
        struct nlmsghdr header;
        struct ifinfomsg message;
    } request = {.header = {.nlmsg_len = sizeof request,
                            .nlmsg_type = RTM_SETLINK,
                            .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
                 .message = {.ifi_index = 1, .ifi_flags = 0, .ifi_change = 1 /* up */}};
    if (is_control() && unshare(CLONE_NEWUSER | CLONE_NEWNET) && unshare(CLONE_NEWNET)) refused(errno, "unshare");
    int file = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (file < 0) refused(errno, "netlink");
    char answer[1024];
    if (send(file, &request, sizeof request, 0) < 0) refused(errno, "send a request");
    if (recv(file, answer, sizeof answer, 0) < (ssize_t)sizeof(struct nlmsghdr)) refused(errno, "an answer");
    struct nlmsgerr *error = NLMSG_DATA((struct nlmsghdr *)answer);
    if (error->error) refused(-error->error, "change an interface of its own network");
    through("changed an interface of its own network");
}

// Outside, the packet may not leave the machine: its time to live is zero.
static void send_to_neighbours(const char *id) {
    (void)id;
    static const struct {
        const char *address;
        int port;
    } targets[] = {{"224.0.0.251", 5353}, {"239.255.255.250", 1900}, {"169.254.169.254", 80}, {"255.255.255.255", 9}};
    int file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), none = 0, code = 0;
    if (file < 0) refused(errno, "socket");
    setsockopt(file, IPPROTO_IP, IP_MULTICAST_TTL, &none, sizeof none);
    for (size_t target = 0; target < (is_control() ? 1 : sizeof targets / sizeof *targets); target++) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(targets[target].port)};
        inet_pton(AF_INET, targets[target].address, &address.sin_addr);
        if (sendto(file, "bailey", 6, 0, (struct sockaddr *)&address, sizeof address) == 6)
            through("sent to %s", targets[target].address);
        code = errno;
    }
    refused(code, "send to any neighbour");
}

static void read_home_secrets(const char *id) {
    (void)id;
    static const char *const names[] = {".netrc",       ".aws/credentials", ".kube/config",
                                        ".bash_history", ".git-credentials", ".config/gcloud/application_default.json",
                                        ".docker/config.json", ".mozilla/firefox/profile/logins.json", NULL};
    int code = ENOENT;
    for (const char *const *name = names; *name; name++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", value("home"), *name);
        code = read_marker(path);
        if (code == 0) through("read %s", *name);
    }
    refused(code, "read any credential of the home");
}

static void read_host_queue(const char *id) {
    (void)id;
    char name[64], text[64];
    snprintf(name, sizeof name, "/bailey-host-%s", value("nonce"));
    mqd_t queue = mq_open(name, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (queue == (mqd_t)-1) refused(errno, "open the host's message queue");
    through("opened the host's message queue%s", mq_receive(queue, text, sizeof text, NULL) > 0 ? " and read it" : "");
}

// The system's directories are the host's own: whoever may read one may also be told who else does.
static void watch_system(const char *id) {
    (void)id;
    int file = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (file < 0 || inotify_add_watch(file, "/usr/bin", IN_OPEN) < 0) refused(errno, "watch /usr/bin");
    through("would be told of every program of the host that is opened");
}

static void take_console(const char *id) {
    (void)id;
    setsid();
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) || unlockpt(master)) refused(errno, "open a terminal");
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0) refused(errno, "open the terminal's other side");
    // The console's messages go elsewhere only until this process ends.
    if (ioctl(terminal, TIOCCONS, 0)) refused(errno, "TIOCCONS");
    through("the console's messages came here");
}

static void set_trusted_marker(const char *id) {
    (void)id;
    int file = open("trusted-b20", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0) broken("make the file: %s", error_name(errno));
    if (fsetxattr(file, "trusted.overlay.opaque", "y", 1, 0) && fsetxattr(file, "security.bailey", "y", 1, 0))
        refused(errno, "set a trusted or security attribute");
    through("set a trusted attribute");
}

const struct probe place_probes[] = {
    {"a34", open_first},       {"a41", mount_types},        {"a43", add_interface},  {"a55", send_to_neighbours},
    {"a60", read_home_secrets}, {"b01", read_kernel_files}, {"b04", read_host_queue}, {"b05", watch_system},
    {"b15", take_console},     {"b17", open_first},         {"b20", set_trusted_marker}, {NULL, NULL},
};
