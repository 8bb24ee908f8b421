import TestSupport

/// A program that lies to whoever observes it. It is compiled outside, into the project.
enum ObservationProgram {
    static func build(in yard: Yard) throws {
        try yard.write(source, to: "project/probe.c")
        let built = try yard.outside("cc -O1 -pthread -o probe probe.c")
        guard built.status == 0 else { throw YardError(built.summary) }
        // Not every system has the static library.
        _ = try yard.outside("cc -O1 -pthread -static -o probe-static probe.c || cp probe probe-static")
    }

    private static let source = #"""
        #define _GNU_SOURCE
        #include <arpa/inet.h>
        #include <errno.h>
        #include <pthread.h>
        #include <signal.h>
        #include <stdint.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/mman.h>
        #include <sys/socket.h>
        #include <sys/syscall.h>
        #include <sys/time.h>
        #include <sys/wait.h>
        #include <unistd.h>
        extern char **environ;

        static void *execute(void *unused) {
            (void)unused;
            execl("/bin/sh", "sh", "-c", "exit 5", (char *)0);
            return 0;
        }

        static int by_thread(void) {
            pid_t child = fork();
            if (child == 0) {
                execl("./probe", "./probe", "thread-inside", (char *)0);
                _exit(1);
            }
            int status;
            waitpid(child, &status, 0);
            return WEXITSTATUS(status) == 5 ? 0 : 1;
        }

        static int by_vfork(void) {
            pid_t child = vfork();
            if (child == 0) {
                execl("/bin/echo", "echo", "by vfork", (char *)0);
                _exit(1);
            }
            int status;
            waitpid(child, &status, 0);
            return status;
        }

        static volatile char words[2][32] = {"first", "second"};
        static char *list[] = {"true", (char *)words[0], (char *)words[1], 0};
        static volatile int stop;

        static void *change(void *unused) {
            (void)unused;
            for (unsigned i = 0; !stop; i++) {
                memset((void *)words[0], 'a' + i % 26, 31);
                list[1] = i % 3 == 0 ? (char *)(uintptr_t)8 : (char *)words[0];
                list[3] = i % 5 == 0 ? (char *)words[1] : 0;
            }
            return 0;
        }

        static int race(void) {
            pthread_t thread;
            pthread_create(&thread, 0, change, 0);
            for (int i = 0; i < 300; i++) {
                pid_t child = vfork();
                if (child == 0) {
                    execve("/bin/true", list, environ);
                    _exit(1);
                }
                waitpid(child, 0, 0);
            }
            stop = 1;
            pthread_join(thread, 0);
            return 0;
        }

        static int lies(void) {
            char *page = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            mprotect(page + 4096, 4096, PROT_NONE);
            memset(page, 'A', 4096);
            char *good[] = {"x", 0};
            char **many = calloc(200001, sizeof(char *));
            for (int i = 0; i < 200000; i++) many[i] = "word";
            execve((char *)1, good, environ);
            execve(page, good, environ);
            execve(page + 4090, good, environ);
            execve("/nowhere", (char **)1, environ);
            execve("/nowhere", (char **)(page + 4090), environ);
            execve("/nowhere", many, environ);
            syscall(SYS_execveat, 999, "nowhere", good, environ, 0);
            syscall(SYS_execveat, 999, "", good, environ, 0x1000);
            int fd = socket(AF_INET, SOCK_STREAM, 0);
            connect(fd, (void *)1, 16);
            connect(fd, (void *)(page + 4090), 128);
            connect(fd, (void *)page, 0xFFFFFFFF);
            connect(fd, (void *)page, 0);
            bind(fd, (void *)1, 16);
            bind(fd, (void *)page, 1 << 30);
            bind(-1, (void *)page, 16);
            puts("still here");
            return 0;
        }

        static int attempt(int fd, uint32_t address) {
            struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(443)};
            to.sin_addr.s_addr = htonl(address);
            return connect(fd, (void *)&to, sizeof to);
        }

        static int flood(int count) {
            int fd = socket(AF_INET, SOCK_DGRAM, 0);
            for (int i = 0; i < count; i++) attempt(fd, 0xCB007100u + (uint32_t)(i % 200));
            return 0;
        }

        static void nothing(int number) { (void)number; }

        static int interrupted(void) {
            struct sigaction action = {.sa_handler = nothing, .sa_flags = SA_RESTART};
            sigaction(SIGALRM, &action, 0);
            struct itimerval often = {{0, 200}, {0, 200}};
            setitimer(ITIMER_REAL, &often, 0);
            flood(2000);
            struct itimerval never = {{0, 0}, {0, 0}};
            setitimer(ITIMER_REAL, &never, 0);
            execl("/bin/echo", "echo", "went on", (char *)0);
            return 1;
        }

        int main(int count, char **words_given) {
            const char *what = count > 1 ? words_given[1] : "";
            if (!strcmp(what, "thread")) return by_thread();
            if (!strcmp(what, "vfork")) return by_vfork();
            if (!strcmp(what, "race")) return race();
            if (!strcmp(what, "lies")) return lies();
            if (!strcmp(what, "flood")) return flood(count > 2 ? atoi(words_given[2]) : 1);
            if (!strcmp(what, "interrupted")) return interrupted();
            if (!strcmp(what, "static")) return execl("./probe-static", "./probe-static", "", (char *)0);
            if (!strcmp(what, "thread-inside")) {
                pthread_t thread;
                pthread_create(&thread, 0, execute, 0);
                pthread_join(thread, 0);
                return 1;
            }
            return 0;
        }
        """#
}
