/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing of a pack is unpacked: it is read through, hashed, and held against its manifest, which comes last.
 */
#include "core/pack.h"

#include "base/plain.h"
#include "core/pack_tar.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { max_files = 100002 };

struct reading {
    FILE *from;
    const char *what;
    struct tare_tar_entry *entries; /* all but recipe and manifest, in their order */
    size_t n_entries;
    struct text {
        char *data;
        size_t n;
    } recipe, manifest;
    struct tare_pack_read read;
};

static int refuse(const struct reading *p, const char *why, struct tare_err *err)
{
    return tare_err_set(err, TARE_E_FORMAT, "%.300s: %s", p->what, why);
}

static int keep_entry(struct reading *p, const struct tare_tar_entry *entry, struct tare_err *err)
{
    if (p->n_entries == max_files) {
        return refuse(p, "it has too many files", err);
    }
    struct tare_tar_entry *grown = realloc(p->entries, (p->n_entries + 1) * sizeof *grown);
    if (!grown) {
        return tare_err_set(err, TARE_E_NOMEM, "%.300s: out of memory", p->what);
    }
    p->entries = grown;
    grown[p->n_entries++] = *entry;
    p->read.made.files++;
    p->read.made.bytes += entry->bytes;
    return 0;
}

/* Takes data over. */
static int take_text(struct reading *p, struct text *to, char *data, int64_t n, struct tare_err *err)
{
    if (to->data || !data) {
        free(data);
        return refuse(p, "recipe or manifest are there twice, or too large", err);
    }
    *to = (struct text){data, (size_t)n};
    return 0;
}

static int take_entry(struct reading *p, const struct tare_tar_entry *entry, char *data, struct tare_err *err)
{
    if (p->manifest.data) {
        free(data);
        return refuse(p, "something is behind its manifest", err);
    }
    if (strcmp(entry->name, TARE_PACK_MANIFEST) == 0) {
        memcpy(p->read.made.sha256, entry->sha256, sizeof entry->sha256);
        return take_text(p, &p->manifest, data, entry->bytes, err);
    }
    if (strcmp(entry->name, TARE_PACK_RECIPE) == 0) {
        return take_text(p, &p->recipe, data, entry->bytes, err);
    }
    free(data);
    return keep_entry(p, entry, err);
}

static int read_entries(struct reading *p, struct tare_err *err)
{
    static const char *const kept[] = {TARE_PACK_RECIPE, TARE_PACK_MANIFEST, NULL};
    for (;;) {
        struct tare_tar_entry entry;
        char *data = NULL;
        int r = tare_tar_next(p->from, p->what, kept, &entry, &data, err);
        if (r <= 0) {
            return r;
        }
        r = take_entry(p, &entry, data, err);
        if (r < 0) {
            return r;
        }
    }
}

/* One file of the manifest against the one that is there. */
static int check_file(const struct reading *p, const struct tare_json *listed,
                      const struct tare_tar_entry *entry, struct tare_err *err)
{
    const char *name = tare_json_str(tare_json_get(listed, "file"));
    const char *sha256 = tare_json_str(tare_json_get(listed, "sha256"));
    int64_t bytes = -1;
    if (!name || !sha256 ||
        tare_json_i64(tare_json_get(listed, "bytes"), "bytes", 0, INT64_MAX, &bytes, NULL) < 0) {
        return refuse(p, "its manifest has a file without name, size or hash", err);
    }
    if (strcmp(name, entry->name) != 0) {
        return tare_err_set(err, TARE_E_FORMAT, "%.200s: %s is there where its manifest has %.100s", p->what,
                            entry->name, name);
    }
    if (strcmp(sha256, entry->sha256) != 0 || bytes != entry->bytes) {
        return tare_err_set(err, TARE_E_FORMAT, "%.150s: %s: its SHA-256 is %s where the manifest has %.64s",
                            p->what, name, entry->sha256, sha256);
    }
    return 0;
}

static int check_files(const struct reading *p, struct tare_err *err)
{
    const struct tare_json *files = tare_json_get(p->read.manifest, "files"), *v = tare_json_first(files);
    if (tare_json_size(files) != p->n_entries || p->n_entries == 0) {
        return refuse(p, "its manifest lists other files than are there", err);
    }
    for (size_t i = 0; i < p->n_entries; i++, v = tare_json_next(v)) {
        int r = check_file(p, v, &p->entries[i], err);
        if (r < 0) {
            return r;
        }
    }
    return strcmp(p->entries[p->n_entries - 1].name, TARE_PACK_PROMPTS) == 0
               ? 0
               : refuse(p, "its last file is not " TARE_PACK_PROMPTS, err);
}

/* Fit to be shown as it is. */
static bool is_line(const char *text)
{
    char plain[256];
    if (!text || !*text || strlen(text) >= sizeof plain) {
        return false;
    }
    (void)snprintf(plain, sizeof plain, "%s", text);
    tare_plain_line(plain);
    return strcmp(plain, text) == 0;
}

static int check_manifest(struct reading *p, struct tare_err *err)
{
    if (!p->manifest.data || !p->recipe.data) {
        return refuse(p, "it has no manifest or no recipe, so it is no pack of tare", err);
    }
    int r = tare_json_parse(p->manifest.data, p->manifest.n, p->what, &p->read.manifest, err);
    r = r == 0 ? tare_json_parse(p->recipe.data, p->recipe.n, p->what, &p->read.recipe, err) : r;
    if (r == 0 && tare_json_num(tare_json_get(p->read.manifest, "tare_pack")) != 1) {
        r = refuse(p, "its format is not that of this tare", err);
    }
    if (r == 0 && !is_line(tare_json_str(tare_json_get(p->read.manifest, "task")))) {
        r = refuse(p, "its manifest names no task", err);
    }
    r = r == 0 ? tare_json_i64(tare_json_get(p->read.manifest, "items"), "items", 0, INT64_MAX,
                               &p->read.made.items, err)
               : r;
    return r == 0 ? check_files(p, err) : r;
}

int tare_pack_read(FILE *from, const char *what, struct tare_pack_read *out, struct tare_err *err)
{
    struct reading p = {.from = from, .what = what};
    int r = read_entries(&p, err);
    r = r == 0 ? check_manifest(&p, err) : r;
    free(p.entries);
    free(p.recipe.data);
    free(p.manifest.data);
    if (r < 0) {
        tare_plain_err(err); /* it may quote the pack */
        tare_pack_read_fini(&p.read);
        return r;
    }
    *out = p.read;
    return 0;
}

void tare_pack_read_fini(struct tare_pack_read *read)
{
    tare_json_destroy(read->recipe);
    tare_json_destroy(read->manifest);
    read->recipe = read->manifest = NULL;
}
