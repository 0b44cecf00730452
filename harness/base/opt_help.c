/* SPDX-License-Identifier: Apache-2.0 */
/* Option tables as help text and as JSON: the one source of --help, the manual and `tare list`. */
#include "base/opt.h"

#include <string.h>

void tare_opts_describe(const struct tare_opt *table, struct tare_json *array)
{
    for (const struct tare_opt *opt = table; opt && opt->name; opt++) {
        struct tare_json *o = tare_json_add_object(array, NULL);
        tare_json_add_str(o, "name", opt->name);
        tare_json_add_str(o, "type", tare_opt_type_name(opt->type));
        tare_json_add_str(o, "default", opt->def);
        tare_json_add_str(o, "unit", opt->unit);
        if (opt->min != 0 || opt->max != 0) {
            tare_json_add_i64(o, "min", opt->min);
            tare_json_add_i64(o, "max", opt->max);
        }
        if (opt->choices) {
            struct tare_json *choices = tare_json_add_array(o, "choices");
            for (const char *const *c = opt->choices; *c; c++) {
                tare_json_add_str(choices, NULL, *c);
            }
        }
        tare_json_add_str(o, "help", opt->help);
    }
}

static void add_choices(const struct tare_opt *opt, struct tare_buf *to)
{
    for (const char *const *c = opt->choices; c && *c; c++) {
        tare_buf_printf(to, "%s%s", c == opt->choices ? " (" : ", ", *c);
    }
    tare_buf_add_str(to, opt->choices ? ")" : "");
}

void tare_opts_help(const struct tare_opt *table, const char *prefix, struct tare_buf *to)
{
    for (const struct tare_opt *opt = table; opt && opt->name; opt++) {
        char name[64];
        (void)snprintf(name, sizeof name, "%s%s", prefix, opt->name);
        size_t n = strlen(name);
        for (size_t i = 0; prefix[0] == '-' && i < n; i++) {
            name[i] = (char)(name[i] == '_' ? '-' : name[i]);
        }
        if (opt->type != TARE_OPT_BOOL || prefix[0] != '-') {
            (void)snprintf(name + n, sizeof name - n, " %s", tare_opt_type_name(opt->type));
        }
        tare_buf_printf(to, "  %-26s %s", name, opt->help);
        add_choices(opt, to);
        if (opt->unit) {
            tare_buf_printf(to, " [%s]", opt->unit);
        }
        if (opt->def) {
            tare_buf_printf(to, " (default %s)", opt->def);
        }
        tare_buf_add_str(to, "\n");
    }
}
