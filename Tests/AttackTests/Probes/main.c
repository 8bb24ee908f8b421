#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// One attempt of the batch may take this long; the slowest waits 1.5 s for a visitor.
#define ATTEMPT_SECONDS 6
#define LINE_BYTES 512

static char **pairs;
static const char *current = "none";

const char *value(const char *key) {
    size_t length = strlen(key);
    for (char **pair = pairs; pair && *pair; pair++)
        if (!strncmp(*pair, key, length) && (*pair)[length] == '=') return *pair + length + 1;
    return "";
}

int is_control(void) { return !strcmp(value("control"), "1"); }

int first_process(void) { return is_control() ? atoi(value("pid")) : 1; }

const char *error_name(int code) {
    const char *name = strerrorname_np(code);
    return name ? name : "unknown";
}

static _Noreturn void report(const char *verdict, const char *format, va_list arguments) {
    char line[LINE_BYTES];
    int used = snprintf(line, sizeof line, "%s %s ", current, verdict);
    used += vsnprintf(line + used, sizeof line - used - 1, format, arguments);
    if (used > (int)sizeof line - 2) used = sizeof line - 2;
    for (char *byte = line; byte < line + used; byte++)
        if (*byte < 32 || *byte == 127) *byte = '?';
    line[used++] = '\n';
    ssize_t written = write(1, line, used);
    _exit(written == used ? 0 : 1);
}

#define VERDICT(function, word)               \
    _Noreturn void function(const char *format, ...) { \
        va_list arguments;                    \
        va_start(arguments, format);          \
        report(word, format, arguments);      \
    }
VERDICT(through, "through")
VERDICT(private_only, "private")
VERDICT(broken, "error")
static VERDICT(refused_with, "refused")

_Noreturn void refused(int code, const char *what) { refused_with("%s %s", error_name(code), what); }

const char *canary(const char *name) {
    static char buffers[4][4096];
    static int next;
    char *buffer = buffers[next++ % 4];
    snprintf(buffer, sizeof buffers[0], "%s/%s", value("canary"), name);
    return buffer;
}

int read_marker_at(int directory, const char *path) {
    char text[4096];
    int file = openat(directory, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return errno;
    ssize_t count = read(file, text, sizeof text - 1);
    int code = count < 0 ? errno : 0;
    close(file);
    if (code) return code;
    text[count] = 0;
    return *value("marker") && strstr(text, value("marker")) ? 0 : ENODATA;
}

int read_marker(const char *path) { return read_marker_at(AT_FDCWD, path); }

int is_confined(void) {
    char text[4096] = "";
    int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    if (count <= 0) return 0;
    return strstr(text, "NoNewPrivs:\t1") && strstr(text, "Seccomp:\t2") && strstr(text, "CapEff:\t0000000000000000");
}

// Runs one attempt in a child, which prints its own line; prints the line for it if it could not.
static void attempt_alone(const struct probe *probe) {
    current = probe->id;
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) {
        printf("%s error fork %s\n", probe->id, error_name(errno));
        fflush(stdout);
        return;
    }
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        probe->attempt(probe->id);
        broken("ended without a verdict");
    }
    int status = 0;
    for (int tick = 0; waitpid(child, &status, WNOHANG) == 0; tick++) {
        if (tick == ATTEMPT_SECONDS * 500) {
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            printf("%s error timed out after %d s\n", probe->id, ATTEMPT_SECONDS);
            fflush(stdout);
            return;
        }
        nanosleep(&(struct timespec){.tv_nsec = tick ? 2000000 : 200000}, NULL);
    }
    if (!WIFSIGNALED(status)) return;
    const char *verdict = WTERMSIG(status) == SIGSYS ? "refused" : "error";
    printf("%s %s SIG%s ended the attempt\n", probe->id, verdict, sigabbrev_np(WTERMSIG(status)));
    fflush(stdout);
}

static const struct probe *const tables[] = {file_probes,    process_probes, kernel_probes, socket_probes,
                                             terminal_probes, lineage_probes, place_probes,  limit_probes,
                                             lone_probes,     lone_lineage_probes, quota_probes, layer_probes,
                                             handover_probes};
enum { TABLES = sizeof tables / sizeof *tables, BATCH_TABLES = TABLES - 5 };

int main(int count, char **arguments) {
    if (count < 2) return fprintf(stderr, "usage: probe all|host|ID KEY=VALUE...\n"), 2;
    signal(SIGPIPE, SIG_IGN);
    if (!strcmp(arguments[1], "with-key")) return with_key_main(arguments + 2);
    if (!strcmp(arguments[1], "with-tty")) return with_tty_main(arguments + 2);
    if (!strcmp(arguments[1], "screen")) return screen_main(arguments + 2);
    if (!strcmp(arguments[1], "without")) return without_main(arguments + 2);
    if (!strcmp(arguments[1], "nothing")) return 0;
    pairs = arguments + 2;
    if (!strcmp(arguments[1], "host")) return host_main();
    int all = !strcmp(arguments[1], "all");
    for (int table = 0; table < TABLES; table++)
        for (const struct probe *probe = tables[table]; probe->id; probe++) {
            if (all && table < BATCH_TABLES) attempt_alone(probe);
            if (!all && !strcmp(probe->id, arguments[1])) {
                current = probe->id;
                probe->attempt(probe->id);
            }
        }
    return all ? 0 : 2;
}
