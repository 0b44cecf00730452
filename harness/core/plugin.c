/* SPDX-License-Identifier: Apache-2.0 */
/* dlopen with the checks around it. */
#include "core/plugin.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(const char *path, const char *why, struct tare_err *err)
{
    return tare_err_set(err, TARE_E_PLUGIN, "backend %s: %s", path, why);
}

static bool inside(uint64_t offset, uint64_t n, uint64_t size)
{
    return n <= size && offset <= size - n;
}

static int check_segments(const char *path, int fd, const Elf64_Ehdr *e, uint64_t size, struct tare_err *err)
{
    for (unsigned i = 0; i < e->e_phnum; i++) {
        Elf64_Phdr p;
        off_t at = (off_t)(e->e_phoff + i * sizeof p);
        if (pread(fd, &p, sizeof p, at) != (ssize_t)sizeof p) {
            return refuse(path, "is cut short (program headers)", err);
        }
        if (!inside(p.p_offset, p.p_filesz, size)) {
            return refuse(path, "is cut short: a segment lies beyond the end of the file", err);
        }
    }
    return 0;
}

/* A truncated object would kill the process with SIGBUS while it is mapped. */
static int check_elf(const char *path, struct tare_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return refuse(path, strerror(errno), err);
    }
    struct stat st;
    Elf64_Ehdr e;
    memset(&e, 0, sizeof e);
    int r = 0;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        r = refuse(path, "is no regular file", err);
    } else if (pread(fd, &e, sizeof e, 0) != (ssize_t)sizeof e || memcmp(e.e_ident, ELFMAG, SELFMAG) != 0) {
        r = refuse(path, "is no shared object (no ELF header)", err);
    } else if (e.e_ident[EI_CLASS] != ELFCLASS64 || e.e_type != ET_DYN ||
               e.e_phentsize != sizeof(Elf64_Phdr)) {
        r = refuse(path, "is no 64-bit shared object", err);
    } else if (!inside(e.e_shoff, (uint64_t)e.e_shnum * e.e_shentsize, (uint64_t)st.st_size)) {
        r = refuse(path, "is cut short: its section table lies beyond the end of the file", err);
    } else {
        r = check_segments(path, fd, &e, (uint64_t)st.st_size, err);
    }
    close(fd);
    return r;
}

/* The name stands in messages and in the database. */
static bool is_name(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.-");
    return n > 0 && name[n] == '\0' && n <= 60;
}

static const char *missing_hook(const struct tare_backend *b)
{
    return !b->name                                        ? "name"
           : !b->summary                                   ? "summary"
           : !b->load                                      ? "load"
           : !b->describe                                  ? "describe"
           : !b->submit                                    ? "submit"
           : !b->close                                     ? "close"
           : (b->caps & TARE_CAP_TOKENIZE) && !b->tokenize ? "tokenize"
           : (b->caps & TARE_CAP_CONCURRENT) && !b->drain  ? "drain"
           : b->account && !b->account_convention          ? "account_convention"
                                                           : NULL;
}

static size_t option_bytes(const struct tare_opt *opt)
{
    switch (opt->type) {
    case TARE_OPT_BOOL:
        return sizeof(bool);
    case TARE_OPT_F64:
        return sizeof(double);
    case TARE_OPT_STR:
        return sizeof(char *);
    case TARE_OPT_CHOICE:
        return opt->choices ? sizeof(int64_t) : 0;
    case TARE_OPT_I64:
    case TARE_OPT_NS:
    case TARE_OPT_BYTES:
        return sizeof(int64_t);
    default:
        return 0;
    }
}

/* The parser writes where the table points: it must point into the backend's own data. */
static int check_options(const char *path, const struct tare_backend *b, struct tare_err *err)
{
    for (const struct tare_opt *opt = b->options; opt && opt->name; opt++) {
        size_t n = option_bytes(opt);
        if (n == 0) {
            return tare_err_set(err, TARE_E_PLUGIN, "backend %s: option %.60s has no known type", path,
                                opt->name);
        }
        if (!inside(opt->offset, n, b->priv_size)) {
            return tare_err_set(err, TARE_E_PLUGIN,
                                "backend %s: option %.60s lies outside of the backend's %u bytes", path,
                                opt->name, b->priv_size);
        }
    }
    return 0;
}

int tare_backend_check(const char *path, const struct tare_plugin_header *header, size_t symbol_bytes,
                       struct tare_backend *out, struct tare_err *err)
{
    if (symbol_bytes < sizeof *header || header->magic != TARE_PLUGIN_MAGIC) {
        return refuse(path, "exports 'tare_plugin', but not one of tare's (wrong magic)", err);
    }
    if (header->kind != TARE_PLUGIN_BACKEND) {
        return tare_err_set(err, TARE_E_PLUGIN, "backend %s: is a plug-in of kind %u, not a backend", path,
                            header->kind);
    }
    if (header->abi != TARE_BACKEND_ABI) {
        return tare_err_set(err, TARE_E_PLUGIN,
                            "backend %s: built for backend ABI %u, this tare has %u; rebuild it", path,
                            header->abi, TARE_BACKEND_ABI);
    }
    if (header->size > symbol_bytes || header->size < offsetof(struct tare_backend, probe)) {
        return tare_err_set(err, TARE_E_PLUGIN,
                            "backend %s: claims %u bytes of operations, but its symbol has %zu", path,
                            header->size, symbol_bytes);
    }
    struct tare_backend b;
    memset(&b, 0, sizeof b);
    memcpy(&b, header, header->size < sizeof b ? header->size : sizeof b);
    const char *missing = missing_hook(&b);
    if (missing) {
        return tare_err_set(err, TARE_E_PLUGIN, "backend %s: mandatory member '%s' is missing", path,
                            missing);
    }
    int r = is_name(b.name) ? check_options(path, &b, err)
                            : refuse(path, "its name is not 1 to 60 of a-z, 0-9, '_', '.' and '-'", err);
    if (r == 0) {
        *out = b;
    }
    return r;
}

int tare_backend_open(const char *path, struct tare_backend *out, struct tare_err *err)
{
    int r = check_elf(path, err);
    if (r < 0) {
        return r;
    }
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object) {
        return refuse(path, dlerror(), err);
    }
    const struct tare_plugin_header *header = dlsym(object, TARE_PLUGIN_SYMBOL);
    if (!header) {
        return refuse(path, "is no plug-in of tare: it does not export 'tare_plugin'", err);
    }
    Dl_info info;
    void *entry = NULL;
    if (dladdr1(header, &info, &entry, RTLD_DL_SYMENT) == 0 || !entry) {
        return refuse(path, "its symbol 'tare_plugin' has no size", err);
    }
    const ElfW(Sym) *symbol = entry;
    return tare_backend_check(path, header, (size_t)symbol->st_size, out, err);
}
