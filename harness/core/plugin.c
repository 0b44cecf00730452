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

/* What a plug-in is called in messages. */
static const char *word(enum tare_plugin_kind kind)
{
    return kind == TARE_PLUGIN_METER ? "meter" : "backend";
}

static int refuse_a(enum tare_plugin_kind kind, const char *path, const char *why, struct tare_err *err)
{
    return tare_err_set(err, TARE_E_PLUGIN, "%s %s: %s", word(kind), path, why);
}

static int refuse(const char *path, const char *why, struct tare_err *err)
{
    return refuse_a(TARE_PLUGIN_BACKEND, path, why, err);
}

static bool inside(uint64_t offset, uint64_t n, uint64_t size)
{
    return n <= size && offset <= size - n;
}

static int check_segments(enum tare_plugin_kind kind, const char *path, int fd, const Elf64_Ehdr *e,
                          uint64_t size, struct tare_err *err)
{
    for (unsigned i = 0; i < e->e_phnum; i++) {
        Elf64_Phdr p;
        off_t at = (off_t)(e->e_phoff + i * sizeof p);
        if (pread(fd, &p, sizeof p, at) != (ssize_t)sizeof p) {
            return refuse_a(kind, path, "is cut short (program headers)", err);
        }
        if (!inside(p.p_offset, p.p_filesz, size)) {
            return refuse_a(kind, path, "is cut short: a segment lies beyond the end of the file", err);
        }
    }
    return 0;
}

/* A truncated object would kill the process with SIGBUS while it is mapped. */
static int check_elf(enum tare_plugin_kind kind, const char *path, struct tare_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return refuse_a(kind, path, strerror(errno), err);
    }
    struct stat st;
    Elf64_Ehdr e;
    memset(&e, 0, sizeof e);
    int r = 0;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        r = refuse_a(kind, path, "is no regular file", err);
    } else if (pread(fd, &e, sizeof e, 0) != (ssize_t)sizeof e || memcmp(e.e_ident, ELFMAG, SELFMAG) != 0) {
        r = refuse_a(kind, path, "is no shared object (no ELF header)", err);
    } else if (e.e_ident[EI_CLASS] != ELFCLASS64 || e.e_type != ET_DYN ||
               e.e_phentsize != sizeof(Elf64_Phdr)) {
        r = refuse_a(kind, path, "is no 64-bit shared object", err);
    } else if (!inside(e.e_shoff, (uint64_t)e.e_shnum * e.e_shentsize, (uint64_t)st.st_size)) {
        r = refuse_a(kind, path, "is cut short: its section table lies beyond the end of the file", err);
    } else {
        r = check_segments(kind, path, fd, &e, (uint64_t)st.st_size, err);
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

/* The parser writes where the table points: it must point into the plug-in's own data. */
static int check_options(enum tare_plugin_kind kind, const char *path, const struct tare_opt *table,
                         uint32_t priv_size, struct tare_err *err)
{
    for (const struct tare_opt *opt = table; opt && opt->name; opt++) {
        size_t n = option_bytes(opt);
        if (n == 0) {
            return tare_err_set(err, TARE_E_PLUGIN, "%s %s: option %.60s has no known type", word(kind), path,
                                opt->name);
        }
        if (!inside(opt->offset, n, priv_size)) {
            return tare_err_set(err, TARE_E_PLUGIN, "%s %s: option %.60s lies outside of the %s's %u bytes",
                                word(kind), path, opt->name, word(kind), priv_size);
        }
    }
    return 0;
}

/* What every plug-in's header must say; `least` bytes of operations are needed. */
static int check_header(enum tare_plugin_kind kind, uint32_t abi, size_t least, const char *path,
                        const struct tare_plugin_header *header, size_t symbol_bytes, struct tare_err *err)
{
    if (symbol_bytes < sizeof *header || header->magic != TARE_PLUGIN_MAGIC) {
        return refuse_a(kind, path, "exports 'tare_plugin', but not one of tare's (wrong magic)", err);
    }
    if (header->kind != (uint32_t)kind) {
        return tare_err_set(err, TARE_E_PLUGIN, "%s %s: is a plug-in of kind %u, not a %s", word(kind), path,
                            header->kind, word(kind));
    }
    if (header->abi != abi) {
        return tare_err_set(err, TARE_E_PLUGIN, "%s %s: built for %s ABI %u, this tare has %u; rebuild it",
                            word(kind), path, word(kind), header->abi, abi);
    }
    if (header->size > symbol_bytes || header->size < least) {
        return tare_err_set(err, TARE_E_PLUGIN,
                            "%s %s: claims %u bytes of operations, but its symbol has %zu", word(kind), path,
                            header->size, symbol_bytes);
    }
    return 0;
}

int tare_backend_check(const char *path, const struct tare_plugin_header *header, size_t symbol_bytes,
                       struct tare_backend *out, struct tare_err *err)
{
    int r = check_header(TARE_PLUGIN_BACKEND, TARE_BACKEND_ABI, offsetof(struct tare_backend, probe), path,
                         header, symbol_bytes, err);
    if (r < 0) {
        return r;
    }
    struct tare_backend b;
    memset(&b, 0, sizeof b);
    memcpy(&b, header, header->size < sizeof b ? header->size : sizeof b);
    const char *missing = missing_hook(&b);
    if (missing) {
        return tare_err_set(err, TARE_E_PLUGIN, "backend %s: mandatory member '%s' is missing", path,
                            missing);
    }
    r = is_name(b.name) ? check_options(TARE_PLUGIN_BACKEND, path, b.options, b.priv_size, err)
                        : refuse(path, "its name is not 1 to 60 of a-z, 0-9, '_', '.' and '-'", err);
    if (r == 0) {
        *out = b;
    }
    return r;
}

int tare_meter_check(const char *path, const struct tare_plugin_header *header, size_t symbol_bytes,
                     struct tare_meter *out, struct tare_err *err)
{
    int r = check_header(TARE_PLUGIN_METER, TARE_METER_ABI, offsetof(struct tare_meter, place), path, header,
                         symbol_bytes, err);
    if (r < 0) {
        return r;
    }
    struct tare_meter m;
    memset(&m, 0, sizeof m);
    memcpy(&m, header, header->size < sizeof m ? header->size : sizeof m);
    if (!m.summary || !m.begin || !m.end) {
        return tare_err_set(err, TARE_E_PLUGIN, "meter %s: mandatory member '%s' is missing", path,
                            !m.summary ? "summary"
                            : !m.begin ? "begin"
                                       : "end");
    }
    if (m.place > TARE_METER_OUTSIDE) {
        return tare_err_set(err, TARE_E_PLUGIN, "meter %s: its place %u is none that this tare knows", path,
                            m.place);
    }
    r = is_name(m.name)
            ? check_options(TARE_PLUGIN_METER, path, m.options, m.priv_size, err)
            : refuse_a(TARE_PLUGIN_METER, path, "its name is not 1 to 60 of a-z, 0-9, '_', '.' and '-'", err);
    if (r == 0) {
        *out = m;
    }
    return r;
}

/* The symbol of a shared object and its size. */
static int open_object(enum tare_plugin_kind kind, const char *path, const struct tare_plugin_header **out,
                       size_t *out_bytes, struct tare_err *err)
{
    int r = check_elf(kind, path, err);
    if (r < 0) {
        return r;
    }
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object) {
        return refuse_a(kind, path, dlerror(), err);
    }
    const struct tare_plugin_header *header = dlsym(object, TARE_PLUGIN_SYMBOL);
    if (!header) {
        return refuse_a(kind, path, "is no plug-in of tare: it does not export 'tare_plugin'", err);
    }
    Dl_info info;
    void *entry = NULL;
    if (dladdr1(header, &info, &entry, RTLD_DL_SYMENT) == 0 || !entry) {
        return refuse_a(kind, path, "its symbol 'tare_plugin' has no size", err);
    }
    const ElfW(Sym) *symbol = entry;
    *out = header;
    *out_bytes = (size_t)symbol->st_size;
    return 0;
}

int tare_backend_open(const char *path, struct tare_backend *out, struct tare_err *err)
{
    const struct tare_plugin_header *header = NULL;
    size_t bytes = 0;
    int r = open_object(TARE_PLUGIN_BACKEND, path, &header, &bytes, err);
    return r == 0 ? tare_backend_check(path, header, bytes, out, err) : r;
}

int tare_meter_load(const char *path, struct tare_meter *out, struct tare_err *err)
{
    const struct tare_plugin_header *header = NULL;
    size_t bytes = 0;
    int r = open_object(TARE_PLUGIN_METER, path, &header, &bytes, err);
    return r == 0 ? tare_meter_check(path, header, bytes, out, err) : r;
}
