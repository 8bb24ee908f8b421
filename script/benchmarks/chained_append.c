// The peer of Bailey's journal: the least that a durable chained append can be. Lines of the given length whose text
// holds the hash of the line before; one write and one fdatasync a batch. Prints the milliseconds that it took.
//
// usage: chained_append FILE LINES BATCH LINE-BYTES
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// OpenSSL's, found at run time so that no development files are needed. The algorithm is fetched once.
static void *(*new_context)(void);
static const void *(*sha256)(void);
static int (*begin)(void *, const void *, void *);
static int (*update)(void *, const void *, size_t);
static int (*finish)(void *, unsigned char *, unsigned int *);

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void *symbol(void *library, const char *name) {
    void *found = dlsym(library, name);
    if (!found) fail(name);
    return found;
}

static void load(void) {
    void *library = dlopen("libcrypto.so.3", RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    *(void **)&new_context = symbol(library, "EVP_MD_CTX_new");
    *(void **)&sha256 = symbol(library, "EVP_sha256");
    *(void **)&begin = symbol(library, "EVP_DigestInit_ex");
    *(void **)&update = symbol(library, "EVP_DigestUpdate");
    *(void **)&finish = symbol(library, "EVP_DigestFinal_ex");
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static size_t line(char *out, size_t bytes, long number, const unsigned char *previous) {
    static const char digits[] = "0123456789abcdef";
    char hex[65];
    for (int i = 0; i < 32; i++) {
        hex[2 * i] = digits[previous[i] >> 4];
        hex[2 * i + 1] = digits[previous[i] & 15];
    }
    hex[64] = 0;
    int head = sprintf(out, "{\"seq\":%ld,\"prev\":\"%s\",\"data\":\"", number, hex);
    size_t end = (size_t)head + 3 > bytes ? (size_t)head + 3 : bytes;
    memset(out + head, 'x', end - 3 - head);
    memcpy(out + end - 3, "\"}\n", 3);
    return end;
}

int main(int count, char **words) {
    if (count != 5) {
        fprintf(stderr, "usage: chained_append FILE LINES BATCH LINE-BYTES\n");
        return 2;
    }
    long lines = atol(words[2]), batch = atol(words[3]);
    size_t bytes = (size_t)atol(words[4]), used = 0;
    load();
    char *buffer = malloc(batch * (bytes + 256));
    void *context = new_context();
    unsigned char hash[32] = {0};
    int file = open(words[1], O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0600);
    if (file < 0 || !buffer || !context) fail(words[1]);
    double started = now();
    for (long number = 0; number < lines; number++) {
        size_t length = line(buffer + used, bytes, number + 1, hash);
        begin(context, sha256(), NULL);
        update(context, "", 1);
        update(context, buffer + used, length - 1);
        finish(context, hash, NULL);
        used += length;
        if ((number + 1) % batch && number + 1 < lines) continue;
        if (write(file, buffer, used) != (ssize_t)used) fail("write");
        if (fdatasync(file) != 0) fail("fdatasync");
        used = 0;
    }
    printf("%.6f\n", now() - started);
    return 0;
}
