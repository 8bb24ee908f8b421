// Runs a command with a terminal of its own that behaves as a person's does: it answers questions, some time later.
// Says afterwards what a shell would find: what is waiting to be read as typed, and what changed.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define TRANSCRIPT_BYTES (1 << 20)
// As over a slow line.
#define ANSWER_MILLISECONDS 120
// What a person takes to read a question.
#define REPLY_MILLISECONDS 400
#define AFTERWARDS_MILLISECONDS 500
#define SCREEN_SECONDS 40

static char transcript[TRANSCRIPT_BYTES + 1];
static size_t transcribed, answered, asked;

static long long milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static const struct {
    const char *question, *answer;
} answers[] = {
    {"\033[c", "\033[?1;2c"},           {"\033[5n", "\033[0n"},      {"\033[6n", "\033[1;1R"},
    {"\033[>c", "\033[>0;276;0c"},      {"\005", "apply\r"},         {"\033[21t", "\033]lapply\033\\"},
    {"\033]52;c;?\a", "\033]52;c;YXBwbHkK\a"}, {"\033]11;?\a", "\033]11;rgb:0000/0000/0000\a"},
};

// Sends the answers to all questions since the last time.
static void answer(int master) {
    for (; answered < transcribed; answered++)
        for (size_t index = 0; index < sizeof answers / sizeof *answers; index++) {
            size_t length = strlen(answers[index].question);
            if (answered + length > transcribed || memcmp(transcript + answered, answers[index].question, length))
                continue;
            (void)!write(master, answers[index].answer, strlen(answers[index].answer));
        }
}

// Types what a person would: `keep` at Bailey's question, and nothing else.
static void reply(int master) {
    const char *question = "keep, discard or diff?";
    char *found = strstr(transcript + asked, question);
    if (!found) return;
    asked = found - transcript + strlen(question);
    poll(NULL, 0, REPLY_MILLISECONDS);
    (void)!write(master, "keep\r", 5);
}

static void read_screen(int master, pid_t child, int *status) {
    long long due = 0, end = milliseconds() + SCREEN_SECONDS * 1000LL, left = -1;
    for (;;) {
        struct pollfd wait = {.fd = master, .events = POLLIN};
        int ready = poll(&wait, 1, 20);
        if (ready > 0 && transcribed < TRANSCRIPT_BYTES) {
            ssize_t count = read(master, transcript + transcribed, TRANSCRIPT_BYTES - transcribed);
            for (ssize_t index = 0; index < count; index++)
                if (!transcript[transcribed + index]) transcript[transcribed + index] = ' ';
            if (count > 0) transcribed += count;
            if (count > 0 && !due) due = milliseconds() + ANSWER_MILLISECONDS;
        }
        if (due && milliseconds() >= due) answer(master), due = 0;
        reply(master);
        if (left < 0 && waitpid(child, status, WNOHANG) == child) left = milliseconds() + AFTERWARDS_MILLISECONDS;
        if (left >= 0 && milliseconds() >= left && !due) return;
        if (milliseconds() > end) {
            kill(child, SIGKILL);
            waitpid(child, status, 0);
            *status = SIGALRM;
            return;
        }
    }
}

int screen_main(char **arguments) {
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) || unlockpt(master)) return perror("open a terminal"), 125;
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct winsize size = {.ws_row = 24, .ws_col = 80}, sizeAfter;
    struct termios before, after;
    if (terminal < 0 || ioctl(terminal, TIOCSWINSZ, &size) || tcgetattr(terminal, &before))
        return perror("prepare the terminal"), 125;
    pid_t child = fork();
    if (child < 0) return perror("fork"), 125;
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setsid();
        if (ioctl(terminal, TIOCSCTTY, 0)) _exit(125);
        for (int descriptor = 0; descriptor < 3; descriptor++) dup2(terminal, descriptor);
        setenv("TERM", "xterm", 1);
        execvp(arguments[0], arguments);
        _exit(127);
    }
    int status = 0, typed = 0;
    read_screen(master, child, &status);
    tcgetattr(terminal, &after);
    ioctl(terminal, TIOCGWINSZ, &sizeAfter);
    // A shell's editor reads byte by byte and finds what was typed without a Return, too.
    struct termios raw = after;
    cfmakeraw(&raw);
    tcsetattr(terminal, TCSANOW, &raw);
    ioctl(terminal, FIONREAD, &typed);
    int isSame = before.c_lflag == after.c_lflag && before.c_iflag == after.c_iflag && before.c_oflag == after.c_oflag;
    int isSameSize = !memcmp(&size, &sizeAfter, sizeof size);
    printf("typed=%d modes=%s size=%s asked=%s status=%d\n", typed, isSame ? "same" : "changed",
           isSameSize ? "same" : "changed", asked ? "yes" : "no", status);
    for (size_t index = transcribed > 400 ? transcribed - 400 : 0; index < transcribed; index++)
        putchar(transcript[index] < 32 || transcript[index] > 126 ? '.' : transcript[index]);
    putchar('\n');
    return 0;
}
