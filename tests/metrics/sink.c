/* SPDX-License-Identifier: Apache-2.0 */
#include "sink.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void copy(char *to, size_t n, const char *from)
{
    (void)snprintf(to, n, "%s", from ? from : "");
}

static void take(struct tare_readings *to, const struct tare_reading *r, const struct tare_doubt *doubt)
{
    struct sink *s = (struct sink *)to;
    assert_true(s->n < sink_max);
    struct sink_reading *k = &s->list[s->n++];
    copy(k->name, sizeof k->name, r->name);
    copy(k->unit, sizeof k->unit, r->unit);
    copy(k->scope, sizeof k->scope, r->scope);
    copy(k->source, sizeof k->source, r->source);
    copy(k->why, sizeof k->why, r->absent ? r->why : "");
    copy(k->flags, sizeof k->flags, doubt ? doubt->flags : "");
    k->kind = r->kind;
    k->absent = r->absent;
    k->value = r->absent ? (double)NAN : r->value;
    k->u = doubt ? doubt->u : (double)NAN;
    k->gain = doubt ? doubt->gain : (double)NAN;
    assert_true(!r->absent || k->why[0]); /* the contract: never absent without a reason */
    assert_true(r->absent || isfinite(r->value));
}

static void add(struct tare_readings *to, const struct tare_reading *r)
{
    take(to, r, NULL);
}

void sink_init(struct sink *s)
{
    s->to.add = add;
    s->to.add_doubted = take;
    s->n = 0;
}

bool sink_has(const struct sink *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->list[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

const struct sink_reading *sink_get(const struct sink *s, const char *name)
{
    const struct sink_reading *found = NULL;
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->list[i].name, name) == 0) {
            assert_null(found);
            found = &s->list[i];
        }
    }
    if (!found) {
        fail_msg("no reading is called %s", name);
    }
    return found;
}

void bench_open(struct bench *b, const struct tare_meter *ops, const char *const *options)
{
    struct tare_err err = {0};
    memset(b, 0, sizeof *b);
    b->ops = ops;
    b->self = calloc(1, ops->priv_size + 1);
    assert_non_null(b->self);
    if (ops->options) {
        assert_int_equal(tare_opts_init(ops->options, b->self, &err), 0);
    }
    for (size_t i = 0; options && options[i]; i += 2) {
        if (tare_opts_set(ops->options, b->self, options[i], options[i + 1], ops->name, &err) < 0) {
            fail_msg("%s", err.msg);
        }
    }
    bool works = !ops->probe || ops->probe(b->why, sizeof b->why) >= 0;
    if (works && ops->open && ops->open(b->self, &err) < 0) {
        works = false;
        copy(b->why, sizeof b->why, err.msg);
    }
    if (!works) {
        assert_true(b->why[0]); /* a meter that cannot be used says why */
        if (ops->options) {
            tare_opts_fini(ops->options, b->self);
        }
        free(b->self);
        b->self = NULL;
    }
}

void bench_close(struct bench *b)
{
    if (!b->self) {
        return;
    }
    if (b->ops->close) {
        b->ops->close(b->self);
    }
    if (b->ops->options) {
        tare_opts_fini(b->ops->options, b->self);
    }
    free(b->self);
    b->self = NULL;
}

void bench_read(struct bench *b, struct sink *s)
{
    sink_init(s);
    b->ops->begin(b->self);
    b->ops->end(b->self, &s->to);
}
