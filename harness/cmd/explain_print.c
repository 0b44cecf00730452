/* SPDX-License-Identifier: Apache-2.0 */
/* An explained figure as lines for people. */
#include "cmd/explain.h"

#include "base/buf.h"
#include "cmd/cmd.h"

#include <stdlib.h>
#include <string.h>

enum { max_values = 6, max_files = 3 };

static const char *text_of(const struct tare_json *o, const char *key)
{
    const char *text = tare_json_str(tare_json_get(o, key));
    return text ? text : "-";
}

static void put_number(struct tare_buf *to, const struct tare_json *value)
{
    if (tare_json_type(value) == TARE_JSON_NUMBER) {
        tare_buf_printf(to, "%.12g", tare_json_num(value));
    } else {
        tare_buf_add_str(to, "-");
    }
}

static void put_figure(struct tare_buf *to, const struct tare_json *all)
{
    const struct tare_json *f = tare_json_get(all, "figure"), *c = tare_json_get(all, "cell");
    tare_buf_printf(to, "%s of %s / %s on %s (%s), cell %.0f of run %.0f, %s %s\n", text_of(f, "name"),
                    text_of(c, "model"), text_of(c, "technique"), text_of(c, "task"), text_of(c, "scenario"),
                    tare_json_num(tare_json_get(c, "cell")), tare_json_num(tare_json_get(all, "run")),
                    text_of(c, "verdict"), text_of(c, "reasons"));
    if (tare_json_str(tare_json_get(f, "absent"))) {
        tare_buf_printf(to, "  absent: %s\n", text_of(f, "absent"));
    } else {
        tare_buf_add_str(to, "  value: ");
        put_number(to, tare_json_get(f, "value"));
        tare_buf_printf(to, " %s, %s interval [", text_of(f, "unit"), text_of(f, "method"));
        put_number(to, tare_json_get(f, "low"));
        tare_buf_add_str(to, ", ");
        put_number(to, tare_json_get(f, "high"));
        tare_buf_printf(to, "] at level %.4g\n", tare_json_num(tare_json_get(f, "level")));
    }
    tare_buf_printf(to, "  kind: %s; source: %s; scope: %s; n: %.0f %s; flags: %s\n", text_of(f, "kind"),
                    text_of(f, "source"), text_of(f, "scope"), tare_json_num(tare_json_get(f, "n")),
                    text_of(f, "n_what"), text_of(f, "flags"));
}

static void put_formula(struct tare_buf *to, const struct tare_json *all)
{
    const struct tare_json *list = tare_json_get(all, "formula");
    for (const struct tare_json *row = tare_json_first(list); row; row = tare_json_next(row)) {
        tare_buf_printf(to, "formula (%s, %s):\n", text_of(row, "page"), text_of(row, "section"));
        for (const struct tare_json *cell = tare_json_first(row); cell; cell = tare_json_next(cell)) {
            if (strcmp(tare_json_key(cell), "page") != 0 && strcmp(tare_json_key(cell), "section") != 0) {
                tare_buf_printf(to, "  %s: %s\n", tare_json_key(cell), tare_json_str(cell));
            }
        }
    }
}

static void put_recomputed(struct tare_buf *to, const struct tare_json *all)
{
    const struct tare_json *now = tare_json_get(all, "recomputed");
    tare_buf_add_str(to, "derived again from what is stored: ");
    put_number(to, tare_json_get(now, "value"));
    tare_buf_printf(to, ", %s\n",
                    tare_json_true(tare_json_get(now, "same")) ? "the same"
                                                               : "NOT the stored figure: run 'tare derive'");
    if (tare_json_str(tare_json_get(all, "baseline"))) {
        tare_buf_printf(to, "baseline: %s\n", text_of(all, "baseline"));
    }
    if (tare_json_num(tare_json_get(all, "broken_seals")) > 0) {
        tare_buf_printf(to, "BROKEN SEALS: %.0f repeats do not hold what was stored\n",
                        tare_json_num(tare_json_get(all, "broken_seals")));
    }
}

static void put_values(struct tare_buf *to, const struct tare_json *values)
{
    size_t n = 0;
    for (const struct tare_json *v = tare_json_first(values); v; v = tare_json_next(v)) {
        if (n++ < max_values) {
            tare_buf_add_str(to, n > 1 ? ", " : ": ");
            put_number(to, tare_json_get(v, "value"));
        }
    }
    tare_buf_add_str(to, n > max_values ? ", ...\n" : "\n");
}

static void put_inputs(struct tare_buf *to, const struct tare_json *all)
{
    tare_buf_add_str(to, "inputs (what changes the figure when it is changed):\n");
    const struct tare_json *list = tare_json_get(all, "inputs");
    for (const struct tare_json *i = tare_json_first(list); i; i = tare_json_next(i)) {
        if (strcmp(text_of(i, "input"), "reading") != 0) {
            tare_buf_printf(to, "  %s: %s\n", text_of(i, "input"), text_of(i, "name"));
            continue;
        }
        tare_buf_printf(to, "  reading %s of %s, phase %s, %s, %s, %s", text_of(i, "name"),
                        text_of(i, "meter"), text_of(i, "phase"), text_of(i, "unit"), text_of(i, "kind"),
                        text_of(i, "source"));
        put_values(to, tare_json_get(i, "values"));
    }
}

static void put_repeats(struct tare_buf *to, const struct tare_json *all)
{
    const struct tare_json *seals = tare_json_get(all, "seals"),
                           *alone = tare_json_get(all, "of_each_repeat");
    const struct tare_json *seal = tare_json_first(seals), *value = tare_json_first(alone);
    const struct tare_json *list = tare_json_get(all, "repeats");
    for (const struct tare_json *r = tare_json_first(list); r;
         r = tare_json_next(r), seal = tare_json_next(seal)) {
        double block = tare_json_num(tare_json_get(r, "block")),
               id = tare_json_num(tare_json_get(r, "repeat_id"));
        tare_buf_printf(
            to, "repeat %.0f: %s, %.0f samples (SELECT * FROM sample WHERE repeat_id = %.0f), sha256 %.16s",
            block, text_of(r, "outcome"), tare_json_num(tare_json_get(r, "samples")), id,
            text_of(seal, "sha256"));
        if (value && tare_json_num(tare_json_get(value, "block")) == block) {
            tare_buf_add_str(to, ", alone: ");
            put_number(to, tare_json_get(value, "value"));
            value = tare_json_next(value);
        }
        tare_buf_add_str(to, "\n");
    }
}

/* Many files of one role are data: the first few stand for them. */
static void put_files(struct tare_buf *to, const struct tare_json *all)
{
    const struct tare_json *list = tare_json_get(all, "files");
    const char *role = "";
    size_t n = 0;
    for (const struct tare_json *f = tare_json_first(list); f; f = tare_json_next(f)) {
        n = strcmp(role, text_of(f, "role")) == 0 ? n + 1 : 1;
        role = text_of(f, "role");
        if (n <= max_files) {
            tare_buf_printf(to, "file %s: %s\n", role, text_of(f, "file"));
        } else if (n == max_files + 1) {
            tare_buf_printf(to, "file %s: ... (all of them with --json)\n", role);
        }
    }
}

int tare_explain_print(const struct tare_json *explained, struct tare_err *err)
{
    struct tare_buf text;
    tare_buf_init(&text, 16 << 20);
    put_figure(&text, explained);
    put_formula(&text, explained);
    put_recomputed(&text, explained);
    put_inputs(&text, explained);
    put_repeats(&text, explained);
    put_files(&text, explained);
    int r = tare_print_text(&text, err);
    tare_buf_fini(&text);
    return r;
}
