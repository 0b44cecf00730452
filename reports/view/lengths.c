/* SPDX-License-Identifier: Apache-2.0 */
/* Lengths out of a cell's spec. Knows nothing of what was really fed: a task whose prompts differ has no
 * option for their length, and none here. */
#include "reports/view/lengths.h"

#include "core/builtin.h"
#include "core/spec.h"

#include <math.h>
#include <stdlib.h>

static double option(const struct tare_spec *spec, const struct tare_task *task, const char *name)
{
    double given = tare_spec_number(spec->task_options, name);
    if (isfinite(given)) {
        return given;
    }
    for (const struct tare_opt *o = task->options; o && o->name; o++) {
        if (strcmp(o->name, name) == 0 && o->def) {
            return strtod(o->def, NULL);
        }
    }
    return (double)NAN;
}

struct tare_view_lengths tare_view_lengths(const struct tare_report_cell *cell)
{
    struct tare_view_lengths to = {(double)NAN, (double)NAN};
    struct tare_spec spec;
    const struct tare_task *task = NULL;
    struct tare_err ignored = {0};
    if (!cell->spec || tare_spec_parse(cell->spec, strlen(cell->spec), &spec, &ignored) < 0) {
        return to;
    }
    if (tare_find_task(spec.task, &task, &ignored) == 0) {
        to.prompt_tok = option(&spec, task, "prompt_tok");
        to.output_tok = option(&spec, task, "max_output");
    }
    tare_spec_fini(&spec);
    return to;
}
