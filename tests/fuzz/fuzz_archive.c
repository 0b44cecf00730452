/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unpacking of archives. What is accepted has become a folder of files and folders below the limit; what is
 * refused has left nothing.
 */
#include "fuzz.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/readers/archive.h"
#include "tests/datasets/readers/packer.h"

enum { limit_bytes = 1 << 20 };

static char folder[256];
static struct {
    unsigned n_things, n_files;
    uint64_t bytes;
} found;

static int look(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)path;
    (void)kind;
    fuzz_check(S_ISREG(st->st_mode) || S_ISDIR(st->st_mode), "neither a file nor a folder came out");
    fuzz_check(!S_ISREG(st->st_mode) || st->st_nlink == 1, "a hard link came out");
    found.n_things += where->level > 0;
    found.n_files += S_ISREG(st->st_mode);
    found.bytes += S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

static int read_archive(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    char archive[64], out[300];
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    (void)rng;
    fuzz_check(fd >= 0 && write(fd, data, n) == (ssize_t)n, "no file in memory");
    (void)snprintf(archive, sizeof archive, "/proc/self/fd/%d", fd);
    (void)snprintf(out, sizeof out, "%s/out", folder);
    int r = tare_archive_unpack(archive, out, limit_bytes, err);
    (void)close(fd);
    memset(&found, 0, sizeof found);
    fuzz_check(nftw(folder, look, 16, FTW_PHYS) == 0, "the folder cannot be read");
    if (r < 0) {
        fuzz_check(found.n_things == 0, "a refused archive left something");
        return r;
    }
    fuzz_check(found.n_files > 0 && found.bytes <= limit_bytes, "more than the limit, or nothing, came out");
    fuzz_check(nftw(out, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0, "what came out cannot be removed");
    return 0;
}

static const char *const words[] = {
    "../",         "/",     "./",      "\\",   "a/b",   "PK\1\2",         "PK\3\4",
    "PK\5\6",      "ustar", "000644 ", "\xff", "path=", "20 path=../a\n", "linkpath=",
    "GNU.sparse.", NULL};

static const struct packer_entry entries[] = {
    {"./a.txt", PACKER_FILE, "some text", 0},
    {"d/", PACKER_FOLDER, NULL, 0},
    {"d/b", PACKER_FILE, "more", 0},
    {NULL, PACKER_FILE, NULL, 0},
};

static const struct {
    const char *format, *filter;
} kinds[] = {{"zip", NULL},    {"ustar", NULL}, {"pax", "gzip"},
             {"gnutar", "xz"}, {"pax", "zstd"}, {"pax", NULL}};
enum { n_kinds = sizeof kinds / sizeof *kinds };

static void remove_folder(void)
{
    (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* In memory where there is such a place: fsync costs nothing there. */
static bool make_folder(void)
{
    (void)snprintf(folder, sizeof folder, "%s/tare_fuzz_XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    return mkdtemp(folder) && atexit(remove_folder) == 0;
}

int main(void)
{
    struct fuzz_seed seeds[n_kinds];
    struct packed packed[n_kinds];
    for (size_t i = 0; i < n_kinds; i++) {
        packed[i] = packer_archive(kinds[i].format, kinds[i].filter, NULL, entries);
        seeds[i] = (struct fuzz_seed){packed[i].data, packed[i].n};
    }
    if (!make_folder()) {
        (void)fprintf(stderr, "no folder to unpack into\n");
        return 1;
    }
    const struct fuzz_target target = {"archive", seeds, n_kinds, words, 2000, read_archive};
    int r = fuzz_main(&target) || fuzz_replay(&target);
    for (size_t i = 0; i < n_kinds; i++) {
        free(packed[i].data);
    }
    return r;
}
