/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ends everything and what only this address: a fault of the server or of the line (TARE_E_ENVIRONMENT)
 * and wrong bytes (TARE_E_FORMAT) concern the address; a full disk, a signal or no libcurl concern all.
 */
#include "fetch/take.h"

#include "fetch/part.h"
#include "fetch/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct taking {
    const struct tare_take *take;
    const struct tare_source_file *file;
    struct tare_part part;
    const char *url; /* which is being asked */
};

const char *tare_take_refusal(const struct tare_take *take, const struct tare_source_file *file)
{
    if (!file->sha256) {
        return "nobody could tell whether the right bytes came";
    }
    if (!take->from && !take->mirror && tare_json_size(file->urls) == 0) {
        return "--from takes it from a folder";
    }
    return NULL;
}

static int refuse(const struct tare_source_file *file, const char *why, struct tare_err *err)
{
    return tare_err_set(err, TARE_E_ENVIRONMENT, "%s cannot be taken: %s; %s", file->file, file->why, why);
}

static bool is_of_address(int r)
{
    return r == TARE_E_ENVIRONMENT || r == TARE_E_FORMAT;
}

static bool stop(void *ctx)
{
    const struct taking *t = ctx;
    return t->take->progress(t->take->ctx, t->file, t->part.bytes);
}

/* The server sends on, or the whole anew. */
static int begin(void *ctx, int64_t at_byte, const char *validator, struct tare_err *err)
{
    struct taking *t = ctx;
    if (at_byte > 0) {
        return 0;
    }
    int r = tare_part_restart(&t->part, err);
    return r == 0 ? tare_part_note(&t->part, t->url, validator, err) : r;
}

static int on_bytes(void *ctx, const char *data, size_t n, struct tare_err *err)
{
    struct taking *t = ctx;
    return tare_part_write(&t->part, data, n, err);
}

/* One request, and the check if it brought the last byte. */
static int ask_once(struct taking *t, enum tare_transfer_left *out_left, struct tare_err *err)
{
    const struct tare_source_file *f = t->file;
    const struct tare_transfer transfer = {.url = t->url,
                                           .total_bytes = f->bytes,
                                           .from_byte = t->part.bytes,
                                           .validator = t->part.validator,
                                           .ca_file = t->take->ca_file,
                                           .connect_ns = t->take->connect_ns,
                                           .stall_ns = t->take->stall_ns,
                                           .ctx = t,
                                           .begin = begin,
                                           .bytes = on_bytes,
                                           .stop = stop};
    int r = tare_transfer_run(&transfer, out_left, err);
    if (r == 0 && t->part.bytes < f->bytes) {
        *out_left = TARE_LEFT_GOOD;
        return tare_err_set(err, TARE_E_ENVIRONMENT, "it ends after %" PRId64 " of %" PRId64 " bytes",
                            t->part.bytes, f->bytes);
    }
    r = r == 0 ? tare_part_finish(&t->part, f->bytes, f->sha256, err) : r;
    if (r == TARE_E_FORMAT) {
        *out_left = TARE_LEFT_WORTHLESS;
    }
    return r;
}

/* True: the user wants to stop. */
static bool wait(const struct taking *t, int64_t ns)
{
    static const int64_t step_ns = 50000000;
    for (; ns > 0; ns -= step_ns) {
        const struct timespec step = {.tv_nsec = (long)(ns < step_ns ? ns : step_ns)};
        (void)nanosleep(&step, NULL);
        if (t->take->progress(t->take->ctx, t->file, t->part.bytes)) {
            return true;
        }
    }
    return false;
}

static void say_again(const struct taking *t, const struct tare_err *why)
{
    char line[1200];
    (void)snprintf(line, sizeof line, "%s: %s; once more from byte %" PRId64, t->file->file, why->msg,
                   t->part.bytes);
    t->take->say(t->take->ctx, true, line);
}

/* What was there before a request that went on with it, or has come of one, is dropped if it is worth
 * nothing. */
static int drop_worthless(struct taking *t, enum tare_transfer_left left, struct tare_err *err)
{
    return left == TARE_LEFT_WORTHLESS ? tare_part_restart(&t->part, err) : 0;
}

/* One address until it gave the file, or gave up. Going on with what was there may fail for what was there:
 * then the whole is asked for, once. */
static int ask_address(struct taking *t, struct tare_err *err)
{
    int64_t pause_ns = t->take->pause_ns;
    for (int64_t i = 1;;) {
        enum tare_transfer_left left = TARE_LEFT_AS_WAS;
        bool resumed = tare_part_resumes(&t->part, t->url, t->file->bytes);
        int r = resumed ? 0 : tare_part_restart(&t->part, err);
        r = r == 0 ? ask_once(t, &left, err) : r;
        int dropped = is_of_address(r) ? drop_worthless(t, left, err) : 0;
        bool afresh = resumed && left == TARE_LEFT_WORTHLESS;
        bool again = left == TARE_LEFT_GOOD && i < t->take->tries;
        if (!is_of_address(r) || dropped < 0 || (!afresh && !again)) {
            return dropped < 0 ? dropped : r;
        }
        say_again(t, err);
        if (again && wait(t, pause_ns)) {
            return tare_err_set(err, TARE_E_INTERRUPTED, "interrupted");
        }
        pause_ns *= again ? 2 : 1;
        i += again;
    }
}

static void say_failed(const struct taking *t, const char *why, bool is_last)
{
    char line[1200];
    (void)snprintf(line, sizeof line, "%s: %.150s: %s%s", t->file->file, t->url, why,
                   is_last ? "" : "; the next address is asked");
    t->take->say(t->take->ctx, true, line);
}

/* Address i of all, the mirror first; NULL: there are no more. */
static int find_address(const struct taking *t, size_t i, char out[TARE_URL_MAX], bool *out_found,
                        struct tare_err *err)
{
    *out_found = true;
    if (t->take->mirror && i-- == 0) {
        int r = tare_url_join(t->take->mirror, t->file->file, out, err);
        return r == 0 ? tare_url_check(out, TARE_URL_MIRROR, err) : r;
    }
    const struct tare_json *v = tare_json_first(t->file->urls);
    for (; v && i > 0; i--) {
        v = tare_json_next(v);
    }
    *out_found = v != NULL;
    (void)snprintf(out, TARE_URL_MAX, "%s", v ? tare_json_str(v) : "");
    return v ? tare_url_check(out, TARE_URL_SOURCE, err) : 0;
}

static int download(struct taking *t, struct tare_taken_from *out, struct tare_err *err)
{
    size_t n = tare_json_size(t->file->urls) + (t->take->mirror != NULL);
    for (size_t i = 0;; i++) {
        char url[TARE_URL_MAX], line[TARE_URL_MAX + 256];
        struct tare_err why = {0};
        bool found = false;
        int r = find_address(t, i, url, &found, err);
        if (r < 0 || !found) {
            return r < 0 ? r : tare_err_set(err, TARE_E_ENVIRONMENT, "%s: it has no address", t->file->file);
        }
        t->url = url;
        (void)snprintf(line, sizeof line, "%s: %" PRId64 " bytes from %s", t->file->file, t->file->bytes,
                       url);
        t->take->say(t->take->ctx, false, line);
        r = ask_address(t, &why);
        if (r == 0) {
            out->how = TARE_TAKEN_DOWNLOADED;
            (void)snprintf(out->where, sizeof out->where, "%s", url);
            return 0;
        }
        if (!is_of_address(r) || n == 1) {
            return is_of_address(r) ? tare_err_set(err, r, "%s: %.150s: %.250s", t->file->file, url, why.msg)
                                    : tare_err_set(err, r, "%s: %.350s", t->file->file, why.msg);
        }
        say_failed(t, why.msg, i + 1 == n);
        if (i + 1 == n) {
            return tare_err_set(err, r, "%s: none of its %zu addresses gave it; the last, %.100s: %.200s",
                                t->file->file, n, url, why.msg);
        }
    }
}

/* All of an open file, up to one byte more than are expected: finish sees that there are too many. */
static int copy_bytes(struct taking *t, int fd, const char *path, struct tare_err *err)
{
    char chunk[1 << 16];
    while (t->part.bytes <= t->file->bytes) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return tare_err_set(err, TARE_E_IO, "%s: %s", path, strerror(errno));
        }
        if (n == 0) {
            return 0;
        }
        int r = tare_part_write(&t->part, chunk, (size_t)n, err);
        if (r < 0) {
            return r;
        }
        if (stop(t)) {
            return tare_err_set(err, TARE_E_INTERRUPTED, "%s: interrupted", t->file->file);
        }
    }
    return 0;
}

/* FOLDER/piqa/valid.jsonl, else FOLDER/valid.jsonl. */
static int open_copy(const struct taking *t, char path[TARE_PART_PATH_MAX], struct tare_err *err)
{
    const char *const names[] = {t->file->file, strrchr(t->file->file, '/') + 1};
    for (size_t i = 0; i < 2; i++) {
        int n = snprintf(path, TARE_PART_PATH_MAX, "%s/%s", t->take->from, names[i]);
        int fd = n < TARE_PART_PATH_MAX ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
        if (fd >= 0 || errno != ENOENT) {
            return fd >= 0 ? fd : tare_err_set(err, TARE_E_IO, "%s: %s", path, strerror(errno));
        }
    }
    return tare_err_set(err, TARE_E_IO, "%s: neither it nor %s is in %s", names[0], names[1], t->take->from);
}

static int copy(struct taking *t, struct tare_taken_from *out, struct tare_err *err)
{
    char path[TARE_PART_PATH_MAX];
    struct tare_err why = {0};
    int fd = open_copy(t, path, err);
    if (fd < 0) {
        return fd;
    }
    int r = tare_part_restart(&t->part, err);
    r = r == 0 ? copy_bytes(t, fd, path, err) : r;
    close(fd);
    if (r < 0) {
        int ignored = tare_part_restart(&t->part, NULL);
        (void)ignored;
        return r;
    }
    r = tare_part_finish(&t->part, t->file->bytes, t->file->sha256, &why);
    if (r < 0) {
        return tare_err_set(err, r, "%s: %.300s", path, why.msg);
    }
    out->how = TARE_TAKEN_COPIED;
    (void)snprintf(out->where, sizeof out->where, "%.*s", TARE_URL_MAX - 1, path);
    return 0;
}

/* Is there anything to be done? */
static int look(const struct taking *t, bool *out_present, struct tare_err *err)
{
    struct tare_source_found found;
    int r = tare_source_look(t->file, t->take->folder, &found, err);
    if (r == 0 && found.state == TARE_SOURCE_CHANGED && !t->take->replace) {
        r = tare_err_set(err, TARE_E_ENVIRONMENT,
                         "%s/%s is there with other bytes than it must have; move it away, or let --replace "
                         "take its place",
                         t->take->folder, t->file->file);
    }
    *out_present = r == 0 && found.state == TARE_SOURCE_PRESENT;
    return r;
}

int tare_take_file(const struct tare_take *take, const struct tare_source_file *file,
                   struct tare_taken_from *out, struct tare_err *err)
{
    struct tare_taken_from from = {.how = TARE_TAKEN_KEPT};
    bool present = false;
    const char *refusal = tare_take_refusal(take, file);
    struct taking t = {.take = take, .file = file, .part = {.fd = -1}};
    int r = look(&t, &present, err);
    if (r == 0 && !present && refusal) {
        return refuse(file, refusal, err);
    }
    if (r == 0 && !present) {
        r = tare_part_open(&t.part, take->folder, file->file, err);
        r = r == 0 ? look(&t, &present, err) : r; /* who held it before may have brought it */
        if (r == 0 && !present) {
            r = take->from ? copy(&t, &from, err) : download(&t, &from, err);
        } else if (r == 0) {
            r = tare_part_restart(&t.part, err);
        }
        tare_part_close(&t.part);
    }
    if (r == 0) {
        *out = from;
    }
    return r;
}
