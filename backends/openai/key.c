/* SPDX-License-Identifier: Apache-2.0 */
/* mmap, madvise, and a limit on cores. */
#include "key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char prefix[] = "Authorization: Bearer ";
enum { max_key_bytes = 3072 };

/* A limit of 1 byte is no room for a core file, and the kernel takes it as "no" for a program that
 * collects cores, too; 0 would be "no" for files only. */
static void forbid_cores(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_CORE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max < 1 ? limit.rlim_max : 1;
        (void)setrlimit(RLIMIT_CORE, &limit);
    }
}

static int take_page(struct key *key, struct tare_err *err)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *memory = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return tare_err_set(err, TARE_E_NOMEM, "backend openai: no memory for the key");
    }
    key->page = memory;
    key->page_bytes = page;
    (void)mlock(memory, page); /* refused where the limit on locked memory is used up */
    if (madvise(memory, page, MADV_DONTDUMP) != 0) {
        key_wipe(key);
        return tare_err_set(err, TARE_E_ENVIRONMENT,
                            "backend openai: the key cannot be kept out of core dumps: %s", strerror(errno));
    }
    (void)madvise(memory, page, MADV_WIPEONFORK);
    memcpy(key->page, prefix, sizeof prefix);
    key->secret = key->page + sizeof prefix - 1;
    return 0;
}

/* The key is in the page; less what stands around it. It goes into a header: nothing else may. */
static int check_key(struct key *key, size_t n, const char *where, struct tare_err *err)
{
    char *secret = key->page + sizeof prefix - 1;
    while (n > 0 && strchr(" \t\r\n", secret[n - 1])) {
        secret[--n] = '\0';
    }
    for (size_t i = 0; i < n; i++) {
        if (secret[i] <= ' ' || secret[i] > '~') {
            n = 0;
        }
    }
    if (n == 0) {
        key_wipe(key);
        return tare_err_set(err, TARE_E_USAGE,
                            "backend openai: %.200s holds no key: one line of printable ASCII", where);
    }
    key->n_secret = n;
    forbid_cores();
    return 0;
}

static int too_long(struct key *key, const char *where, struct tare_err *err)
{
    key_wipe(key);
    return tare_err_set(err, TARE_E_LIMIT, "backend openai: %.200s: a key of more than %d bytes", where,
                        max_key_bytes);
}

static int read_file(struct key *key, const char *path, struct tare_err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        int r = tare_err_set(err, TARE_E_IO, "backend openai: key_file %.200s: %s", path, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return r;
    }
    int r = st.st_mode & (S_IRWXG | S_IRWXO)
                ? tare_err_set(err, TARE_E_USAGE,
                               "backend openai: key_file %.200s is open to others; chmod 600 it", path)
                : take_page(key, err);
    ssize_t n = r == 0 ? read(fd, key->page + sizeof prefix - 1, max_key_bytes + 1) : 0;
    close(fd);
    if (r < 0) {
        return r;
    }
    return n > max_key_bytes ? too_long(key, path, err) : check_key(key, n > 0 ? (size_t)n : 0, path, err);
}

static int read_variable(struct key *key, const char *variable, struct tare_err *err)
{
    char *value = variable && *variable ? getenv(variable) : NULL;
    size_t n = value ? strlen(value) : 0;
    if (n == 0) {
        return 0;
    }
    int r = take_page(key, err);
    if (r == 0 && n <= max_key_bytes) {
        memcpy(key->page + sizeof prefix - 1, value, n);
    }
    explicit_bzero(value, n); /* what /proc/self/environ shows is this memory */
    if (r < 0) {
        return r;
    }
    return n > max_key_bytes ? too_long(key, variable, err) : check_key(key, n, variable, err);
}

int key_load(struct key *key, const char *file, const char *variable, struct tare_err *err)
{
    memset(key, 0, sizeof *key);
    return file ? read_file(key, file, err) : read_variable(key, variable, err);
}

void key_wipe(struct key *key)
{
    if (key->page) {
        explicit_bzero(key->page, key->page_bytes);
        (void)munmap(key->page, key->page_bytes);
    }
    memset(key, 0, sizeof *key);
}

void key_redact(const struct key *key, char *text, size_t n)
{
    if (key->n_secret == 0) {
        return;
    }
    for (char *at = text; (at = memmem(at, n - (size_t)(at - text), key->secret, key->n_secret));) {
        memset(at, '*', key->n_secret);
    }
}
