/* SPDX-License-Identifier: Apache-2.0 */
/* This process, where it stands, and which machine this is without saying whose. */
#include "core/environment_scan.h"

#include "base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

enum { text_max = 1 << 16 };

/* The value behind "key ... :" at a line's begin, without blanks before it; false if there is none. */
static bool field(const char *text, const char *key, char *out, size_t n_out)
{
    size_t n = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n'), line += line != NULL) {
        size_t gap = strncmp(line, key, n) == 0 ? strspn(line + n, " \t") : 0;
        if (strncmp(line, key, n) == 0 && line[n + gap] == ':') {
            const char *at = line + n + gap + 1;
            at += strspn(at, " \t");
            (void)snprintf(out, n_out, "%.*s", (int)strcspn(at, "\n"), at);
            return out[0] != '\0';
        }
    }
    return false;
}

static const char *policy_name(void)
{
    static const char *const names[] = {"default",        "preferred",          "bind", "interleave", "local",
                                        "preferred-many", "weighted-interleave"};
    int mode = 0;
    if (syscall(SYS_get_mempolicy, &mode, NULL, 0UL, NULL, 0UL) != 0) {
        return NULL;
    }
    mode &= 0xff; /* flags stand above */
    return mode >= 0 && (size_t)mode < sizeof names / sizeof *names ? names[mode] : "unknown";
}

int tare_walk_affinity(struct tare_walker *w)
{
    char text[8192], value[1024];
    const char *unread = "not in /proc/self/status";
    (void)tare_walker_text(w->roots->proc, "self/status", text, sizeof text);
    bool cpus = field(text, "Cpus_allowed_list", value, sizeof value);
    int r = tare_walker_emit(w, "cpu.affinity", cpus ? value : NULL, unread);
    bool nodes = field(text, "Mems_allowed_list", value, sizeof value);
    r = r == 0 ? tare_walker_emit(w, "numa.allowed", nodes ? value : NULL, unread) : r;
    return r == 0 ? tare_walker_emit(w, "numa.policy", policy_name(), "get_mempolicy is refused here") : r;
}

int tare_walk_time(struct tare_walker *w)
{
    struct timex t;
    char text[96];
    memset(&t, 0, sizeof t);
    int state = adjtimex(&t);
    bool in_time = state >= 0 && state != TIME_ERROR && !(t.status & STA_UNSYNC);
    (void)snprintf(text, sizeof text, "%s, largest error %ld us",
                   in_time ? "synchronised" : "not synchronised", t.maxerror);
    return tare_walker_emit(w, "time.sync", state >= 0 ? text : NULL, "adjtimex is refused here");
}

/* The mount whose "major:minor" is the folder's; several of one device have the same kind. */
static bool find_mount(const char *mounts, dev_t device, char *kind, size_t n_kind)
{
    char wanted[40];
    (void)snprintf(wanted, sizeof wanted, " %u:%u ", major(device), minor(device));
    const char *at = strstr(mounts, wanted), *end = at ? strchr(at, '\n') : NULL;
    const char *dash = at ? strstr(at, " - ") : NULL;
    if (!dash || (end && dash > end)) {
        return false;
    }
    (void)snprintf(kind, n_kind, "%.*s", (int)strcspn(dash + 3, " \n"), dash + 3);
    return true;
}

static int emit_disk(struct tare_walker *w, const struct stat *s, const char *mounts)
{
    char kind[64] = "", path[96], text[16] = "";
    bool found = find_mount(mounts, s->st_dev, kind, sizeof kind);
    (void)snprintf(path, sizeof path, "dev/block/%u:%u/queue/rotational", major(s->st_dev), minor(s->st_dev));
    if (!tare_walker_text(w->roots->sys, path, text, sizeof text)) { /* of a partition: its disk's */
        (void)snprintf(path, sizeof path, "dev/block/%u:%u/../queue/rotational", major(s->st_dev),
                       minor(s->st_dev));
        (void)tare_walker_text(w->roots->sys, path, text, sizeof text);
    }
    int r = tare_walker_emit(w, "disk.filesystem", found ? kind : NULL, "not in /proc/self/mountinfo");
    return r == 0 ? tare_walker_emit(w, "disk.type",
                                     text[0] == '0'   ? "solid state or virtual"
                                     : text[0] == '1' ? "rotating"
                                                      : NULL,
                                     "its device does not say whether it rotates")
                  : r;
}

int tare_walk_disk(struct tare_walker *w)
{
    struct stat s;
    char *mounts = calloc(1, text_max);
    if (!mounts) {
        return tare_err_set(w->err, TARE_E_NOMEM, "out of memory");
    }
    (void)tare_walker_text(w->roots->proc, "self/mountinfo", mounts, text_max);
    int r = 0;
    if (stat(w->roots->folder, &s) == 0) {
        r = emit_disk(w, &s, mounts);
    } else {
        r = tare_walker_emit(w, "disk.filesystem", NULL, strerror(errno));
        r = r == 0 ? tare_walker_emit(w, "disk.type", NULL, "the folder is not there") : r;
    }
    free(mounts);
    return r;
}

/* Of our group of the unified hierarchy. */
static int emit_limit(struct tare_walker *w, const char *key, const char *group, const char *file)
{
    char path[600], value[128];
    (void)snprintf(path, sizeof path, "fs/cgroup%.400s/%s", group, file);
    return tare_walker_emit(w, key, tare_walker_text(w->roots->sys, path, value, sizeof value) ? value : NULL,
                            "the control group shows no such limit");
}

int tare_walk_cgroup(struct tare_walker *w)
{
    char text[4096], group[400] = "";
    bool two = tare_walker_text(w->roots->sys, "fs/cgroup/cgroup.controllers", text, sizeof text);
    bool one = tare_walker_text(w->roots->proc, "self/cgroup", text, sizeof text);
    const char *unified = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
    if (unified) {
        unified = strchr(unified, '/');
        (void)snprintf(group, sizeof group, "%.*s", unified ? (int)strcspn(unified, "\n") : 0,
                       unified ? unified : "");
    }
    int r = tare_walker_emit(w, "cgroup.version", two ? "2" : one ? "1" : NULL, "no control groups");
    r = r == 0 ? emit_limit(w, "cgroup.memory_max", group, "memory.max") : r;
    r = r == 0 ? emit_limit(w, "cgroup.cpu_max", group, "cpu.max") : r;
    return r == 0 ? emit_limit(w, "cgroup.cpus", group, "cpuset.cpus.effective") : r;
}

int tare_walk_container(struct tare_walker *w)
{
    static const char *const words[] = {"docker", "kubepods", "lxc", "podman", "containerd"};
    char text[4096], path[512];
    const char *found = NULL;
    if (tare_walker_text(w->roots->root, "run/systemd/container", text, sizeof text)) {
        return tare_walker_emit(w, "container", text, NULL);
    }
    (void)snprintf(path, sizeof path, "%s/.dockerenv", w->roots->root);
    found = access(path, F_OK) == 0 ? "docker" : NULL;
    (void)snprintf(path, sizeof path, "%s/run/.containerenv", w->roots->root);
    found = !found && access(path, F_OK) == 0 ? "podman" : found;
    (void)tare_walker_text(w->roots->proc, "1/cgroup", text, sizeof text);
    for (size_t i = 0; !found && i < sizeof words / sizeof *words; i++) {
        found = strstr(text, words[i]) ? words[i] : NULL;
    }
    return tare_walker_emit(w, "container", found ? found : "none found", NULL);
}

/* What the hypervisor calls itself; "" where the processor has no such leaf. */
static void hypervisor_name(char out[13])
{
    out[0] = '\0';
#if defined(__x86_64__) || defined(__i386__)
    unsigned a = 0, b = 0, c = 0, d = 0;
    __cpuid(0x40000000, a, b, c, d);
    memcpy(out, &b, 4);
    memcpy(out + 4, &c, 4);
    memcpy(out + 8, &d, 4);
    out[12] = '\0';
    for (char *at = out; *at; at++) {
        *at = (char)(*at < ' ' || *at > '~' ? '?' : *at);
    }
#endif
}

/* The line of what the processor can do, or "". */
static void cpu_flags(struct tare_walker *w, char *out, size_t n_out)
{
    char *text = calloc(1, text_max);
    out[0] = '\0';
    if (text && tare_walker_text(w->roots->proc, "cpuinfo", text, text_max)) {
        (void)(field(text, "flags", out, n_out) || field(text, "Features", out, n_out));
    }
    free(text);
}

static bool has_flag(const char *flags, const char *flag)
{
    size_t n = strlen(flag);
    for (const char *at = strstr(flags, flag); at; at = strstr(at + 1, flag)) {
        if ((at == flags || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0')) {
            return true;
        }
    }
    return false;
}

int tare_walk_hypervisor(struct tare_walker *w)
{
    char type[64], flags[8192], name[13];
    if (tare_walker_text(w->roots->sys, "hypervisor/type", type, sizeof type)) {
        return tare_walker_emit(w, "hypervisor", type, NULL);
    }
    cpu_flags(w, flags, sizeof flags);
    if (!flags[0]) {
        return tare_walker_emit(w, "hypervisor", NULL, "/proc/cpuinfo does not say");
    }
    if (!has_flag(flags, "hypervisor")) {
        return tare_walker_emit(w, "hypervisor", "none seen", NULL);
    }
    hypervisor_name(name);
    return tare_walker_emit(w, "hypervisor", name[0] ? name : "yes, without a name", NULL);
}

/* Of the many, those that kernels of models use. */
int tare_walk_isa(struct tare_walker *w)
{
    static const char *const known[] = {"sse4_2",   "avx",         "avx2",        "fma",         "f16c",
                                        "bmi2",     "avx_vnni",    "avx512f",     "avx512bw",    "avx512vl",
                                        "avx512dq", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile",
                                        "amx_int8", "amx_bf16",    "asimd",       "asimddp",     "asimdhp",
                                        "sve",      "sve2",        "i8mm",        "bf16"};
    char flags[8192];
    struct tare_buf list;
    cpu_flags(w, flags, sizeof flags);
    tare_buf_init(&list, 4096);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (has_flag(flags, known[i])) {
            tare_buf_printf(&list, "%s%s", list.used ? " " : "", known[i]);
        }
    }
    int r =
        tare_walker_emit(w, "cpu.isa", tare_buf_str(&list), "/proc/cpuinfo names none that is known here");
    tare_buf_fini(&list);
    return r;
}

/* The machine by what stays with it, whatever its disks and addresses are. */
int tare_walk_identity(struct tare_walker *w)
{
    static const char *const serials[][2] = {{"machine.serial", "class/dmi/id/product_serial"},
                                             {"machine.uuid", "class/dmi/id/product_uuid"}};
    char id[128], product[256], model[256], *info = calloc(1, text_max);
    struct tare_buf all;
    struct utsname u;
    if (!info) {
        return tare_err_set(w->err, TARE_E_NOMEM, "out of memory");
    }
    model[0] = '\0';
    (void)tare_walker_text(w->roots->proc, "cpuinfo", info, text_max);
    (void)field(info, "model name", model, sizeof model);
    free(info);
    bool has_id = tare_walker_text(w->roots->root, "etc/machine-id", id, sizeof id);
    (void)tare_walker_text(w->roots->sys, "class/dmi/id/product_name", product, sizeof product);
    tare_buf_init(&all, 4096);
    tare_buf_printf(&all, "%s\n%s\n%s", id, product, model);
    int r =
        tare_walker_emit_hashed(w, "machine.id", has_id ? tare_buf_str(&all) : NULL, "no /etc/machine-id");
    tare_buf_fini(&all);
    r = r == 0
            ? tare_walker_emit_hashed(w, "machine.host", uname(&u) == 0 ? u.nodename : NULL, "uname failed")
            : r;
    for (size_t i = 0; r == 0 && i < sizeof serials / sizeof *serials; i++) {
        bool read = tare_walker_text(w->roots->sys, serials[i][1], id, sizeof id);
        r = tare_walker_emit_hashed(w, serials[i][0], read ? id : NULL,
                                    "not readable (root only, or no DMI)");
    }
    return r;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Length of the run of at least 16 digits and dashes that names a disk, a machine or an address; 0: none. */
static size_t identifier(const char *at)
{
    size_t n = 0, digits = 0;
    while (is_hex(at[n]) || at[n] == '-' || at[n] == ':') {
        digits += is_hex(at[n]);
        n++;
    }
    return digits >= 12 ? n : 0;
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Length of what must not be shown in clear at `at`, which begins a word: an identifier, or the host's name,
 * after which installers call volume groups. 0: none. */
static size_t secret(const char *at, const char *host)
{
    size_t n = strlen(host);
    bool named = n > 0 && strncmp(at, host, n) == 0 && !is_word(at[n]);
    return named ? n : identifier(at);
}

/* The kernel's command line with all that tells one machine from others replaced by its hash. */
int tare_walk_cmdline(struct tare_walker *w)
{
    char text[4096], hex[TARE_SHA256_HEX];
    struct tare_buf out;
    struct utsname u;
    int r = 0;
    const char *host = uname(&u) == 0 ? u.nodename : "";
    bool read = tare_walker_text(w->roots->proc, "cmdline", text, sizeof text), within = false;
    tare_buf_init(&out, 1 << 16);
    for (const char *at = text; r == 0 && *at;) {
        size_t n = within ? 0 : secret(at, host);
        if (n > 0) {
            r = tare_sha256(at, n, hex, w->err);
            tare_buf_printf(&out, "sha256:%.16s", r == 0 ? hex : "");
        } else {
            tare_buf_add(&out, at, 1);
        }
        at += n ? n : 1;
        within = n == 0 && is_word(at[-1]);
    }
    r = r == 0 ? tare_walker_emit(w, "kernel.cmdline", read ? tare_buf_str(&out) : NULL,
                                  "/proc/cmdline cannot be read")
               : r;
    tare_buf_fini(&out);
    return r;
}
