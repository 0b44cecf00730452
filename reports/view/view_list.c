/* SPDX-License-Identifier: Apache-2.0 */
/* The views that the build has embedded, and those of files. */
#include "reports/view/view.h"

#include "base/buf.h"
#include "base/nearest.h"

#include "builtin_views.h"

#include <stdio.h>
#include <string.h>

enum { n_views = sizeof builtin_views / sizeof *builtin_views, max_view_bytes = 1 << 20 };

/* "survey1" is the view of "survey1.json". */
static bool is_called(const char *file, const char *name)
{
    size_t n = strlen(name);
    return strncmp(file, name, n) == 0 && strcmp(file + n, ".json") == 0;
}

const char *tare_view_text(const char *name)
{
    for (size_t i = 0; i < n_views; i++) {
        if (is_called(builtin_views[i].name, name)) {
            return builtin_views[i].text;
        }
    }
    return NULL;
}

static int unknown(const char *name, struct tare_err *err)
{
    struct tare_nearest nearest = {.word = name};
    char stems[n_views][40];
    for (size_t i = 0; i < n_views; i++) {
        (void)snprintf(stems[i], sizeof stems[i], "%.*s", (int)strcspn(builtin_views[i].name, "."),
                       builtin_views[i].name);
        tare_nearest_offer(&nearest, stems[i]);
    }
    const char *best = tare_nearest_best(&nearest);
    return tare_err_set(err, TARE_E_USAGE, "view \"%.60s\": unknown%s%s%s; 'tare list views' shows them",
                        name, best ? "; did you mean \"" : "", best ? best : "", best ? "\"?" : "");
}

static int from_file(const char *path, struct tare_view *out, struct tare_err *err)
{
    struct tare_buf text;
    tare_buf_init(&text, max_view_bytes);
    int r = tare_buf_read_file(&text, path, err) < 0 ? TARE_E_USAGE : 0;
    r = r == 0 ? tare_view_parse(tare_buf_str(&text), text.used, path, out, err) : r;
    tare_buf_fini(&text);
    return r;
}

int tare_view_find(const char *name, struct tare_view *out, struct tare_err *err)
{
    const char *text = tare_view_text(name);
    if (text) {
        return tare_view_parse(text, strlen(text), name, out, err);
    }
    return strchr(name, '/') || strstr(name, ".json") ? from_file(name, out, err) : unknown(name, err);
}

int tare_view_list(struct tare_json *to, struct tare_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < n_views; i++) {
        struct tare_view view;
        const char *file = builtin_views[i].name;
        char name[64];
        r = tare_view_parse(builtin_views[i].text, strlen(builtin_views[i].text), file, &view, err);
        if (r == 0) {
            (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(file, "."), file);
            struct tare_json *o = tare_json_add_object(to, NULL);
            tare_json_add_str(o, "name", name);
            tare_json_add_str(o, "summary", view.about);
            tare_view_fini(&view);
        }
    }
    return r;
}
