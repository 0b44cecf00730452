/* SPDX-License-Identifier: Apache-2.0 */
/* Order within a pack: the recipe, the data by name, the prompts, the manifest. */
#include "core/pack.h"

#include "base/buf.h"
#include "core/pack_item.h"
#include "core/pack_tar.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { max_files = 100000, max_line = 1 << 30, max_manifest = 64 << 20 };

/* A file of the task and its name in the pack. */
struct data_file {
    char *path;
    char name[TARE_TAR_NAME_MAX];
};

struct making {
    const struct tare_pack_subject *subject;
    struct tare_tar_writer tar;
    struct data_file *files;
    size_t n_files;
    struct tare_buf manifest; /* the list of files so far */
    struct tare_pack_made made;
};

static int out_of_memory(struct tare_err *err)
{
    return tare_err_set(err, TARE_E_NOMEM, "pack: out of memory");
}

/* What of a path goes into the pack. */
static const char *name_of(const char *path, const char *const *roots)
{
    for (; roots && *roots; roots++) {
        size_t n = strlen(*roots);
        while (n > 1 && (*roots)[n - 1] == '/') {
            n--;
        }
        if (n > 0 && strncmp(path, *roots, n) == 0 && path[n] == '/') {
            path += n;
            return path + strspn(path, "/");
        }
    }
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int compare(const void *va, const void *vb)
{
    const struct data_file *a = va, *b = vb;
    int by_name = strcmp(a->name, b->name);
    return by_name != 0 ? by_name : strcmp(a->path, b->path);
}

static int add_file(struct making *m, const char *path, struct tare_err *err)
{
    struct data_file *grown = realloc(m->files, (m->n_files + 1) * sizeof *grown);
    if (!grown) {
        return out_of_memory(err);
    }
    m->files = grown;
    struct data_file *f = &grown[m->n_files];
    int n = snprintf(f->name, sizeof f->name, "data/%s", name_of(path, m->subject->roots));
    if (n < 0 || (size_t)n >= sizeof f->name || m->n_files == max_files) {
        return tare_err_set(err, TARE_E_LIMIT,
                            "pack: %.200s: its name is too long, or there are over %d files", path,
                            max_files);
    }
    f->path = strdup(path);
    if (!f->path) {
        return out_of_memory(err);
    }
    m->n_files++;
    return 0;
}

/* Sorted by name; a file that is read twice is there once. */
static int find_files(struct making *m, struct tare_err *err)
{
    const struct tare_task *task = m->subject->task;
    const char *path;
    size_t n = 0;
    int r = 0;
    for (size_t i = 0; r == 0 && task->source && (path = task->source(m->subject->self, i)) != NULL; i++) {
        r = add_file(m, path, err);
    }
    if (r < 0 || m->n_files == 0) {
        return r;
    }
    qsort(m->files, m->n_files, sizeof *m->files, compare);
    for (size_t i = 1; i < m->n_files; i++) {
        bool same_name = strcmp(m->files[n].name, m->files[i].name) == 0;
        if (same_name && strcmp(m->files[n].path, m->files[i].path) != 0) {
            return tare_err_set(err, TARE_E_UNSUPPORTED,
                                "pack: %.180s and %.180s would have one name in the pack", m->files[n].path,
                                m->files[i].path);
        }
        if (same_name) {
            free(m->files[i].path);
            m->files[i].path = NULL;
        } else {
            struct data_file moved = m->files[i];
            m->files[i].path = n + 1 == i ? m->files[i].path : NULL;
            m->files[++n] = moved;
        }
    }
    m->n_files = n + 1;
    return 0;
}

/* Ends the file that was begun and lists it in the manifest. */
static int list_file(struct making *m, struct tare_err *err)
{
    struct tare_tar_entry entry;
    int r = tare_tar_end(&m->tar, &entry, err);
    if (r == 0) {
        tare_buf_printf(&m->manifest, "%s{\"bytes\":%" PRId64 ",\"file\":\"%s\",\"sha256\":\"%s\"}",
                        m->manifest.used > 0 ? "," : "", entry.bytes, entry.name, entry.sha256);
        m->made.files++;
        m->made.bytes += entry.bytes;
    }
    return r;
}

static int copy_stream(struct making *m, FILE *from, const char *path, struct tare_err *err)
{
    char chunk[1 << 16];
    size_t n;
    int r = 0;
    while (r == 0 && (n = fread(chunk, 1, sizeof chunk, from)) > 0) {
        r = tare_tar_add(&m->tar, chunk, n, err);
    }
    return r == 0 && ferror(from) ? tare_err_set(err, TARE_E_IO, "%s: %s", path, strerror(errno)) : r;
}

static int write_file(struct making *m, const struct data_file *f, struct tare_err *err)
{
    FILE *from = fopen(f->path, "rbe");
    if (!from) {
        return tare_err_set(err, TARE_E_IO, "%s: %s", f->path, strerror(errno));
    }
    int r = tare_tar_begin(&m->tar, f->name, err);
    r = r == 0 ? copy_stream(m, from, f->path, err) : r;
    (void)fclose(from);
    return r == 0 ? list_file(m, err) : r;
}

static int write_prompts(struct making *m, struct tare_err *err)
{
    const struct tare_task *task = m->subject->task;
    size_t n = task->count(m->subject->self);
    struct tare_buf line;
    tare_buf_init(&line, max_line);
    int r = tare_tar_begin(&m->tar, TARE_PACK_PROMPTS, err);
    for (size_t i = 0; r == 0 && i < n; i++) {
        struct tare_item item = {0};
        r = task->item(m->subject->self, i, &item, err);
        tare_buf_clear(&line);
        r = r == 0 ? tare_pack_item(&item, &line, err) : r;
        r = r == 0 ? tare_buf_check(&line, "pack: an item", err) : r;
        r = r == 0 ? tare_tar_add(&m->tar, tare_buf_str(&line), line.used, err) : r;
    }
    tare_buf_fini(&line);
    m->made.items = (int64_t)n;
    return r == 0 ? list_file(m, err) : r;
}

static int write_text(struct making *m, const char *name, const char *text, size_t n,
                      struct tare_tar_entry *out, struct tare_err *err)
{
    int r = tare_tar_begin(&m->tar, name, err);
    r = r == 0 ? tare_tar_add(&m->tar, text, n, err) : r;
    return r == 0 ? tare_tar_end(&m->tar, out, err) : r;
}

/* Not in the manifest: other options may make the same items. */
static int write_recipe(struct making *m, struct tare_err *err)
{
    const struct tare_pack_recipe *recipe = m->subject->recipe;
    struct tare_tar_entry ignored;
    char *text = NULL;
    struct tare_json *root = tare_json_new_object();
    tare_json_add_str(root, "task", recipe->task);
    tare_json_add_i64(root, "seed", recipe->seed);
    if (recipe->options) {
        tare_json_add_copy(root, "options", recipe->options);
    }
    int r = tare_json_print(root, false, &text, err);
    tare_json_destroy(root);
    r = r == 0 ? write_text(m, TARE_PACK_RECIPE, text, strlen(text), &ignored, err) : r;
    free(text);
    return r;
}

static int write_manifest(struct making *m, struct tare_err *err)
{
    const struct tare_task *task = m->subject->task;
    struct tare_tar_entry entry;
    struct tare_buf text;
    tare_buf_init(&text, max_manifest);
    tare_buf_printf(&text,
                    "{\"convention\":\"%s\",\"files\":[%s],\"items\":%" PRId64 ",\"tare_pack\":1,\"task\":",
                    task->convention == TARE_CONVENTION_LM_EVAL ? "lm_eval" : "own",
                    tare_buf_str(&m->manifest), m->made.items);
    tare_pack_text((struct tare_bytes){task->name, strlen(task->name)}, &text);
    tare_buf_printf(&text, ",\"version\":%" PRIu32 "}\n", task->version);
    int r = tare_buf_check(&m->manifest, "pack: the manifest", err);
    r = r == 0 ? tare_buf_check(&text, "pack: the manifest", err) : r;
    r = r == 0 ? write_text(m, TARE_PACK_MANIFEST, tare_buf_str(&text), text.used, &entry, err) : r;
    if (r == 0) {
        memcpy(m->made.sha256, entry.sha256, sizeof entry.sha256);
    }
    tare_buf_fini(&text);
    return r;
}

int tare_pack_make(const struct tare_pack_subject *subject, FILE *to, const char *what,
                   struct tare_pack_made *out, struct tare_err *err)
{
    struct making m = {.subject = subject, .tar = {.to = to, .what = what}};
    tare_buf_init(&m.manifest, max_manifest / 2);
    int r = find_files(&m, err);
    r = r == 0 && to ? write_recipe(&m, err) : r;
    for (size_t i = 0; r == 0 && i < m.n_files; i++) {
        r = write_file(&m, &m.files[i], err);
    }
    r = r == 0 ? write_prompts(&m, err) : r;
    r = r == 0 ? write_manifest(&m, err) : r;
    r = r == 0 ? tare_tar_finish(&m.tar, err) : r;
    tare_tar_drop(&m.tar);
    for (size_t i = 0; i < m.n_files; i++) {
        free(m.files[i].path);
    }
    free(m.files);
    tare_buf_fini(&m.manifest);
    if (r == 0) {
        *out = m.made;
    }
    return r;
}
