// Attempts on terminals: typing into one, and reaching the caller's.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// A terminal of the attempt's own, as its controlling one.
static int own_terminal(void) {
    setsid();
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0) refused(errno, "open a terminal");
    if (grantpt(master) || unlockpt(master)) refused(errno, "unlock the terminal");
    int terminal = open(ptsname(master), O_RDWR | O_CLOEXEC);
    if (terminal < 0) refused(errno, "open the terminal's other side");
    ioctl(terminal, TIOCSCTTY, 0);
    return terminal;
}

static void steer_terminal(const char *id) {
    int terminal = own_terminal(), discipline = 0;
    char byte = 'x', request[2] = {2 /* paste */, 0};
    long result;
    if (!strcmp(id, "p16"))
        result = ioctl(terminal, TIOCSTI, &byte);
    else if (!strcmp(id, "p17"))
        result = syscall(SYS_ioctl, terminal, 0x100000000UL | TIOCSTI, &byte);
    else if (!strcmp(id, "a64"))
        result = ioctl(terminal, TIOCLINUX, request);
    else
        result = ioctl(terminal, TIOCSETD, &discipline);
    if (result < 0) refused(errno, "the terminal request");
    through("the terminal took it");
}

static void open_callers_terminal(const char *id) {
    (void)id;
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (terminal < 0) refused(errno, "open the caller's terminal");
    through("opened the caller's terminal");
}

const struct probe terminal_probes[] = {
    {"p16", steer_terminal}, {"p17", steer_terminal},         {"a64", steer_terminal},
    {"a64b", steer_terminal}, {"a64c", open_callers_terminal}, {NULL, NULL},
};

int with_tty_main(char **arguments) {
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) || unlockpt(master)) return perror("open a terminal"), 125;
    pid_t child = fork();
    if (child < 0) return perror("fork"), 125;
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setsid();
        int terminal = open(ptsname(master), O_RDWR | O_CLOEXEC);
        if (terminal < 0 || ioctl(terminal, TIOCSCTTY, 0)) return perror("take the terminal"), 125;
        execvp(arguments[0], arguments);
        return perror(arguments[0]), 127;
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
