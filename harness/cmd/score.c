/* SPDX-License-Identifier: Apache-2.0 */
/* Lets a score build the table of a run and a format write it. */
#include "cmd/score.h"

#include "base/opt.h"
#include "cmd/load.h"
#include "cmd/table.h"
#include "reports/scores/score.h"

int tare_score_print(struct tare_store *store, int64_t run_id, const char *name, const char *settings,
                     const char *format, const char *path, struct tare_err *err)
{
    const struct tare_score *score = NULL;
    struct tare_loaded *loaded = NULL;
    struct tare_score_out out;
    int r = tare_find_score(name, &score, err);
    r = r == 0 ? tare_load(store, run_id, &loaded, err) : r;
    r = r == 0 ? tare_score_build(score, tare_loaded_input(loaded), settings, &out, err) : r;
    if (r == 0) {
        r = tare_table_write(&out.table, format, path, err);
        tare_score_fini(&out);
    }
    tare_loaded_free(loaded);
    return r;
}

void tare_score_list(struct tare_json *to)
{
    for (size_t i = 0; tare_scores[i]; i++) {
        struct tare_json *o = tare_json_add_object(to, NULL);
        tare_json_add_str(o, "name", tare_scores[i]->name);
        tare_json_add_str(o, "summary", tare_scores[i]->summary);
        tare_json_add_str(o, "needs", tare_scores[i]->needs);
        tare_opts_describe(tare_scores[i]->options, tare_json_add_array(o, "options"));
    }
}
