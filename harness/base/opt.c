/* SPDX-License-Identifier: Apache-2.0 */
/* Values in and out of an options struct, driven by its table. */
#include "base/opt.h"

#include "base/nearest.h"
#include "base/plain.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct suffix {
    const char *text;
    double factor;
};

static const struct suffix ns_suffixes[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {NULL, 0}};
static const struct suffix byte_suffixes[] = {{"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824},
                                              {"kB", 1e3},   {"MB", 1e6},      {"GB", 1e9},
                                              {"B", 1},      {NULL, 0}};

static void *member(void *base, const struct tare_opt *opt)
{
    return (char *)base + opt->offset;
}

static const void *const_member(const void *base, const struct tare_opt *opt)
{
    return (const char *)base + opt->offset;
}

const char *tare_opt_type_name(enum tare_opt_type type)
{
    static const char *const names[] = {"",     "bool",   "integer",  "number",
                                        "text", "choice", "duration", "bytes"};
    return type >= TARE_OPT_BOOL && type <= TARE_OPT_BYTES ? names[type] : "?";
}

static bool same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b)) {
            return false;
        }
    }
    return *a == *b;
}

const struct tare_opt *tare_opts_find(const struct tare_opt *table, const char *name)
{
    for (const struct tare_opt *opt = table; opt && opt->name; opt++) {
        if (same_name(opt->name, name)) {
            return opt;
        }
    }
    return NULL;
}

static int bad_value(const struct tare_opt *opt, const char *value, const char *what, const char *needs,
                     struct tare_err *err)
{
    int r =
        tare_err_set(err, TARE_E_USAGE, "%s: option %s: \"%.80s\" is not %s", what, opt->name, value, needs);
    tare_plain_err(err);
    return r;
}

static int set_bool(const struct tare_opt *opt, bool *to, const char *value, const char *what,
                    struct tare_err *err)
{
    static const char *const words[] = {"false", "true", "no", "yes", "0", "1"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(value, words[i]) == 0) {
            *to = i % 2 == 1;
            return 0;
        }
    }
    return bad_value(opt, value, what, "true or false", err);
}

static int check_range(const struct tare_opt *opt, double n, const char *what, struct tare_err *err)
{
    bool limited = opt->min != 0 || opt->max != 0;
    if (limited && (n < (double)opt->min || n > (double)opt->max)) {
        return tare_err_set(err, TARE_E_USAGE, "%s: option %s: %.15g is not in %" PRId64 " .. %" PRId64, what,
                            opt->name, n, opt->min, opt->max);
    }
    return 0;
}

/* Factor of the suffix at `text`; 1 if there is none and 0 if it is unknown. */
static double suffix_factor(const struct suffix *suffixes, const char *text)
{
    if (*text == '\0') {
        return 1;
    }
    for (; suffixes && suffixes->text; suffixes++) {
        if (strcmp(suffixes->text, text) == 0) {
            return suffixes->factor;
        }
    }
    return 0;
}

/*
 * A decimal times its unit may miss the integer that was meant by a rounding: 1.001us is 1001 ns. Above
 * 2^53 - 1 neighbouring integers become the same double, so that what was written is not known.
 */
static bool to_integer(double value, double factor, int64_t *out)
{
    double n = value * factor, whole = rint(n);
    double slack = factor == 1 ? 0 : fabs(n) * 4 * DBL_EPSILON;
    if (!(fabs(n - whole) <= slack) || fabs(whole) > 9007199254740991.0) {
        return false;
    }
    *out = (int64_t)whole;
    return true;
}

static int set_integer(const struct tare_opt *opt, int64_t *to, const char *value,
                       const struct suffix *suffixes, const char *what, struct tare_err *err)
{
    char *end = NULL;
    errno = 0;
    double number = strtod(value, &end);
    double factor = end == value ? 0 : suffix_factor(suffixes, end);
    int64_t n = 0;
    if (factor == 0 || errno != 0 || !to_integer(number, factor, &n)) {
        return bad_value(opt, value, what,
                         !suffixes                  ? "an integer"
                         : opt->type == TARE_OPT_NS ? "a duration such as 20ms or 1.5s"
                                                    : "a size such as 64KiB or 1.5GB",
                         err);
    }
    int r = check_range(opt, (double)n, what, err);
    if (r == 0) {
        *to = n;
    }
    return r;
}

static int set_number(const struct tare_opt *opt, double *to, const char *value, const char *what,
                      struct tare_err *err)
{
    char *end = NULL;
    double n = strtod(value, &end);
    if (end == value || *end != '\0' || !isfinite(n)) {
        return bad_value(opt, value, what, "a number", err);
    }
    int r = check_range(opt, n, what, err);
    if (r == 0) {
        *to = n;
    }
    return r;
}

static int set_string(char **to, const char *value, struct tare_err *err)
{
    char *copy = strdup(value);
    if (!copy) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    free(*to);
    *to = copy;
    return 0;
}

static int set_choice(const struct tare_opt *opt, int64_t *to, const char *value, const char *what,
                      struct tare_err *err)
{
    struct tare_buf list;
    tare_buf_init(&list, 400);
    for (int64_t i = 0; opt->choices[i]; i++) {
        if (same_name(opt->choices[i], value)) {
            *to = i;
            tare_buf_fini(&list);
            return 0;
        }
        tare_buf_printf(&list, "%s%s", i ? ", " : "one of ", opt->choices[i]);
    }
    int r = bad_value(opt, value, what, tare_buf_str(&list), err);
    tare_buf_fini(&list);
    return r;
}

static int set(const struct tare_opt *opt, void *base, const char *value, const char *what,
               struct tare_err *err)
{
    switch (opt->type) {
    case TARE_OPT_BOOL:
        return set_bool(opt, member(base, opt), value, what, err);
    case TARE_OPT_I64:
        return set_integer(opt, member(base, opt), value, NULL, what, err);
    case TARE_OPT_NS:
        return set_integer(opt, member(base, opt), value, ns_suffixes, what, err);
    case TARE_OPT_BYTES:
        return set_integer(opt, member(base, opt), value, byte_suffixes, what, err);
    case TARE_OPT_F64:
        return set_number(opt, member(base, opt), value, what, err);
    case TARE_OPT_STR:
        return set_string(member(base, opt), value, err);
    case TARE_OPT_CHOICE:
        return set_choice(opt, member(base, opt), value, what, err);
    default:
        return tare_err_set(err, TARE_E_PLUGIN, "%s: option %s has the unknown type %d", what, opt->name,
                            (int)opt->type);
    }
}

int tare_opts_init(const struct tare_opt *table, void *base, struct tare_err *err)
{
    for (const struct tare_opt *opt = table; opt && opt->name; opt++) {
        int r = opt->def ? set(opt, base, opt->def, "default", err) : 0;
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

void tare_opts_fini(const struct tare_opt *table, void *base)
{
    for (const struct tare_opt *opt = table; opt && opt->name; opt++) {
        if (opt->type == TARE_OPT_STR) {
            char **text = member(base, opt);
            free(*text);
            *text = NULL;
        }
    }
}

int tare_opts_unknown(const struct tare_opt *table, const char *const *more, const char *name,
                      const char *what, struct tare_err *err)
{
    struct tare_nearest nearest = {.word = name};
    for (const struct tare_opt *opt = table; opt && opt->name; opt++) {
        tare_nearest_offer(&nearest, opt->name);
    }
    for (; more && *more; more++) {
        tare_nearest_offer(&nearest, *more);
    }
    const char *best = tare_nearest_best(&nearest);
    int r = tare_err_set(err, TARE_E_USAGE, "%s: unknown key \"%.60s\"%s%s%s", what, name,
                         best ? "; did you mean \"" : "", best ? best : "", best ? "\"?" : "");
    tare_plain_err(err);
    return r;
}

int tare_opts_set(const struct tare_opt *table, void *base, const char *name, const char *value,
                  const char *what, struct tare_err *err)
{
    const struct tare_opt *opt = tare_opts_find(table, name);
    return opt ? set(opt, base, value, what, err) : tare_opts_unknown(table, NULL, name, what, err);
}

/* A JSON scalar as the text a user would have typed; numbers keep all digits. */
static int scalar_text(const struct tare_json *value, char *space, size_t n_space, const char **out)
{
    switch (tare_json_type(value)) {
    case TARE_JSON_STRING:
        *out = tare_json_str(value);
        return 0;
    case TARE_JSON_BOOL:
        *out = tare_json_true(value) ? "true" : "false";
        return 0;
    case TARE_JSON_NUMBER:
        (void)snprintf(space, n_space, "%.17g", tare_json_num(value));
        *out = space;
        return 0;
    default:
        return -1;
    }
}

static bool listed(const char *const *list, const char *word)
{
    for (; list && *list; list++) {
        if (strcmp(*list, word) == 0) {
            return true;
        }
    }
    return false;
}

/* null unsets a text, which tare_opts_to_json cannot say otherwise; any other text must be a string. */
static int set_from_json(const struct tare_opt *opt, void *base, const struct tare_json *value,
                         const char *what, struct tare_err *err)
{
    char space[40];
    const char *text = NULL;
    enum tare_json_type type = tare_json_type(value);
    bool is_text = opt->type == TARE_OPT_STR;
    if (is_text && type == TARE_JSON_NULL) {
        char **to = member(base, opt);
        free(*to);
        *to = NULL;
        return 0;
    }
    if ((is_text && type != TARE_JSON_STRING) || scalar_text(value, space, sizeof space, &text) < 0) {
        return tare_err_set(err, TARE_E_USAGE, "%s: option %s: %s is no %s", what, opt->name,
                            tare_json_type_name(type), tare_opt_type_name(opt->type));
    }
    return set(opt, base, text, what, err);
}

int tare_opts_from_json(const struct tare_opt *table, void *base, const struct tare_json *object,
                        const char *const *skip, const char *what, struct tare_err *err)
{
    if (object && tare_json_type(object) != TARE_JSON_OBJECT) {
        return tare_err_set(err, TARE_E_USAGE, "%s: an object is needed, not %s", what,
                            tare_json_type_name(tare_json_type(object)));
    }
    for (const struct tare_json *v = tare_json_first(object); v; v = tare_json_next(v)) {
        const char *key = tare_json_key(v);
        if (listed(skip, key)) {
            continue;
        }
        const struct tare_opt *opt = tare_opts_find(table, key);
        if (!opt) {
            return tare_opts_unknown(table, skip, key, what, err);
        }
        int r = set_from_json(opt, base, v, what, err);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

void tare_opts_to_json(const struct tare_opt *table, const void *base, struct tare_json *to)
{
    for (const struct tare_opt *opt = table; opt && opt->name; opt++) {
        const void *at = const_member(base, opt);
        switch (opt->type) {
        case TARE_OPT_BOOL:
            tare_json_add_bool(to, opt->name, *(const bool *)at);
            break;
        case TARE_OPT_F64:
            tare_json_add_f64(to, opt->name, *(const double *)at);
            break;
        case TARE_OPT_STR:
            tare_json_add_str(to, opt->name, *(char *const *)at);
            break;
        case TARE_OPT_CHOICE:
            tare_json_add_str(to, opt->name, opt->choices[*(const int64_t *)at]);
            break;
        default:
            tare_json_add_i64(to, opt->name, *(const int64_t *)at);
            break;
        }
    }
}
