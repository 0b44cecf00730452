/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes are bytes, written out: they are pinned to the byte. */
#include "cmd/fetch_show.h"

#include <inttypes.h>
#include <string.h>

static const char *const how_names[] = {"kept", "copied", "downloaded"};

/* The picks of one source: [begin, end). */
static size_t end_of_source(const struct tare_picks *p, size_t begin)
{
    size_t end = begin;
    while (end < p->n_picks && p->picks[end].source == p->picks[begin].source) {
        end++;
    }
    return end;
}

static void add_file(const struct tare_pick *pick, struct tare_json *to)
{
    const struct tare_source_file *f = pick->file;
    struct tare_json *o = tare_json_add_object(to, NULL);
    tare_json_add_str(o, "file", f->file);
    if (f->bytes >= 0) {
        tare_json_add_i64(o, "bytes", f->bytes);
    } else {
        tare_json_add_null(o, "bytes");
    }
    tare_json_add_str(o, "sha256", f->sha256);
    tare_json_add_copy(o, "urls", f->urls);
    if (f->made_from) {
        tare_json_add_copy(o, "made_from", f->made_from);
    }
    tare_json_add_str(o, "why", f->why);
    tare_json_add_str(o, "state", tare_source_state_name(pick->found.state));
    if (pick->found.bytes >= 0) {
        tare_json_add_i64(o, "found_bytes", pick->found.bytes);
        tare_json_add_str(o, "found_sha256", pick->found.sha256[0] ? pick->found.sha256 : NULL);
    }
    if (pick->taken) {
        tare_json_add_str(o, "done", how_names[pick->from.how]);
        tare_json_add_str(o, "from", pick->from.where[0] ? pick->from.where : NULL);
    }
    if (pick->failure[0]) {
        tare_json_add_str(o, "error", pick->failure);
    }
}

static void add_source(const struct tare_source *s, struct tare_json *o)
{
    tare_json_add_str(o, "name", s->name);
    tare_json_add_str(o, "summary", s->summary);
    tare_json_add_str(o, "licence", s->licence);
    tare_json_add_str(o, "licence_from", s->licence_from);
    tare_json_add_str(o, "licence_url", s->licence_url);
    tare_json_add_str(o, "cite", s->cite);
    tare_json_add_str(o, "note", s->note);
}

struct tare_json *tare_fetch_json(const struct tare_picks *picks, const char *folder)
{
    struct tare_json *root = tare_json_new_object();
    tare_json_add_str(root, "data", folder);
    struct tare_json *sources = tare_json_add_array(root, "sources");
    for (size_t i = 0, end; i < picks->n_picks; i = end) {
        struct tare_json *o = tare_json_add_object(sources, NULL);
        add_source(picks->picks[i].source, o);
        struct tare_json *files = tare_json_add_array(o, "files");
        for (end = end_of_source(picks, i); i < end; i++) {
            add_file(&picks->picks[i], files);
        }
    }
    return root;
}

static void add_size(int64_t bytes, struct tare_buf *to)
{
    if (bytes >= 0) {
        tare_buf_printf(to, "%12" PRId64 " B", bytes);
    } else {
        tare_buf_printf(to, "%12s B", "?");
    }
}

/* "2 present, 1 absent (no address)" */
static void add_counts(const struct tare_pick *picks, size_t n, struct tare_buf *to)
{
    size_t counts[4] = {0}, unaddressed = 0;
    for (size_t i = 0; i < n; i++) {
        counts[picks[i].found.state]++;
        unaddressed += picks[i].found.state == TARE_SOURCE_ABSENT && picks[i].file->why != NULL;
    }
    const char *gap = "";
    for (size_t s = 0; s < 4; s++) {
        if (counts[s] > 0) {
            tare_buf_printf(to, "%s%zu %s", gap, counts[s],
                            tare_source_state_name((enum tare_source_state)s));
            gap = ", ";
        }
    }
    if (unaddressed > 0) {
        tare_buf_printf(to, " (%zu cannot be downloaded)", unaddressed);
    }
}

static void list_source(const struct tare_pick *picks, size_t n, struct tare_buf *to)
{
    const struct tare_source *s = picks[0].source;
    int64_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        bytes = bytes < 0 || picks[i].file->bytes < 0 ? -1 : bytes + picks[i].file->bytes;
    }
    tare_buf_printf(to, "%-21s %-31s", s->name, s->licence);
    add_size(bytes, to);
    tare_buf_add_str(to, "  ");
    add_counts(picks, n, to);
    tare_buf_printf(to, "\n    %s\n", s->summary);
}

static void list_file(const struct tare_pick *pick, struct tare_buf *to)
{
    tare_buf_printf(to, "  %-50s ", pick->file->file);
    add_size(pick->file->bytes, to);
    tare_buf_printf(to, "  %s\n", tare_source_state_name(pick->found.state));
    if (pick->file->why) {
        tare_buf_printf(to, "      %s\n", pick->file->why);
    }
}

static void list_details(const struct tare_source *s, struct tare_buf *to)
{
    tare_buf_printf(to, "    licence: %s (%s)%s%s\n    %s\n", s->licence, s->licence_from,
                    s->licence_url ? " " : "", s->licence_url ? s->licence_url : "", s->cite);
    if (s->note) {
        tare_buf_printf(to, "    %s\n", s->note);
    }
}

void tare_fetch_list(const struct tare_picks *picks, bool files, struct tare_buf *to)
{
    for (size_t i = 0, end; i < picks->n_picks; i = end) {
        end = end_of_source(picks, i);
        list_source(&picks->picks[i], end - i, to);
        if (files) {
            list_details(picks->picks[i].source, to);
        }
        for (size_t k = i; files && k < end; k++) {
            list_file(&picks->picks[k], to);
        }
    }
}

void tare_fetch_states(const struct tare_picks *picks, struct tare_buf *to)
{
    for (size_t i = 0; i < picks->n_picks; i++) {
        const struct tare_pick *p = &picks->picks[i];
        tare_buf_printf(to, "%s: %s", p->file->file, tare_source_state_name(p->found.state));
        if (p->found.state == TARE_SOURCE_CHANGED && p->found.bytes != p->file->bytes) {
            tare_buf_printf(to, ": its size is %" PRId64 " bytes where %" PRId64 " are expected",
                            p->found.bytes, p->file->bytes);
        } else if (p->found.state == TARE_SOURCE_CHANGED) {
            tare_buf_printf(to, ": its SHA-256 is %s where %s is expected", p->found.sha256, p->file->sha256);
        }
        tare_buf_add_str(to, "\n");
    }
}

void tare_fetch_done(const struct tare_picks *picks, struct tare_buf *to)
{
    for (size_t i = 0; i < picks->n_picks; i++) {
        const struct tare_pick *p = &picks->picks[i];
        if (p->taken) {
            tare_buf_printf(to, "%s: %s%s%s\n", p->file->file, how_names[p->from.how],
                            p->from.where[0] ? " from " : "", p->from.where);
        }
    }
}
