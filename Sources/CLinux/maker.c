#define _GNU_SOURCE
#include "filter.h"
#include "include/clinux.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

// Takes a request, makes a socket that listens or connects, hands it over. Any other call ends the process.
static const struct sock_filter filter[] = {
    OWN_CALLS,
    ALLOWED(recvmsg), ALLOWED(sendmsg), ALLOWED(close), ALLOWED(bind), ALLOWED(listen),
    ALLOWED(connect),
    ON(socket,
       ARGUMENT(0), JUMP_EQUAL(AF_INET, 2, 0), JUMP_EQUAL(AF_INET6, 1, 0), KILL,
       ARGUMENT(1), ALLOWED_VALUE(SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK), KILL),
    ON(setsockopt, ARGUMENT(1), ALLOWED_VALUE(IPPROTO_IPV6), KILL),
    ALLOWED(rt_sigreturn), ALLOWED(restart_syscall), ALLOWED(exit), ALLOWED(exit_group),
    KILL,
};

int bailey_maker_filter(void) { return bailey_seccomp_filter(filter, sizeof filter); }
