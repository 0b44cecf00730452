/* SPDX-License-Identifier: Apache-2.0 */
/* The set-up of prepared.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "prepared.h"

void set_up(struct setup *s, const struct tare_item *items, size_t n, uint32_t token_bytes, int64_t n_ctx,
            int64_t first_token)
{
    memset(s, 0, sizeof *s);
    s->fake.token_bytes = token_bytes;
    s->ops = fake_backend;
    s->facts = fake_facts(n_ctx, first_token);
    s->task.items = items;
    s->task.n = n;
    s->args = (struct tare_prepare_args){
        .ops = &s->ops, .backend = &s->fake, .facts = &s->facts, .task = &fake_task, .task_self = &s->task};
}

const struct tare_prepared_item *prepare(struct setup *s)
{
    if (tare_prepare(&s->args, &s->prepared, &s->err) != 0) {
        fail_msg("%s", s->err.msg);
    }
    fake_task_forget(&s->task); /* what was prepared must stand alone */
    return s->prepared.count > s->args.first_item ? s->prepared.items[s->args.first_item] : NULL;
}

void done(struct setup *s)
{
    tare_prepared_fini(&s->prepared);
    fake_task_forget(&s->task);
}

void assert_fails(struct setup *s, int code, const char *says)
{
    struct tare_prepared before;
    memset(&s->prepared, 0x55, sizeof s->prepared);
    before = s->prepared;
    int r = tare_prepare(&s->args, &s->prepared, &s->err);
    if (r != code || s->err.code != code || !strstr(s->err.msg, says)) {
        fail_msg("%d, \"%s\" lacks \"%s\"", r, s->err.msg, says);
    }
    assert_memory_equal(&s->prepared, &before, sizeof before);
    fake_task_forget(&s->task);
}

void assert_tokens(const int32_t *tokens, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(tokens[i], text[i] == '^' ? bos : text[i]);
    }
}
