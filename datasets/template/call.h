/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be called: methods of strings and lists, and filters. One table each; the parser finds names there
 * and checks how many arguments stand with them, the evaluator calls. Private to datasets/template/.
 */
#ifndef TARE_TEMPLATE_CALL_H
#define TARE_TEMPLATE_CALL_H

#include "value.h"

enum { tare_tpl_max_args = 3 };

/* self is what stands before the dot or bar, never undefined unless takes_undefined. args has n of them, none
 * undefined. Errors go through tare_tpl_fail at run->at. */
struct tare_tpl_call {
    const char *name;
    int least, most; /* arguments */
    bool takes_undefined;
    int (*call)(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out);
};

/* NULL if there is none of this name. */
const struct tare_tpl_call *tare_tpl_method(struct tare_bytes name);
const struct tare_tpl_call *tare_tpl_filter(struct tare_bytes name);
/* Is this the name of a method or attribute that the type has in Python, known here or not? */
bool tare_tpl_is_python_method(enum tare_tpl_type type, struct tare_bytes name);

#endif
