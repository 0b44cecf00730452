/* SPDX-License-Identifier: Apache-2.0 */
/* What a user can say of a server, and the checks that need no server. */
#ifndef OPENAI_OPTIONS_H
#define OPENAI_OPTIONS_H

#include "text.h"

#include <stdint.h>
#include <tare/opt.h>

enum { ENDPOINT_COMPLETIONS = 0, ENDPOINT_CHAT };
enum { CACHE_BUST = 0, CACHE_DECLARED };
enum { HTTP_AUTO = 0, HTTP_1, HTTP_2 };

struct openai_options {
    char *url;
    char *model;
    int64_t endpoint;
    bool stream;
    int64_t cache;
    int64_t http;
    char *key_env;
    char *key_file;
    bool clear_key;
    char *ca_file;
    char *proxy;
    int64_t limit_name;
    char *extra;
    int64_t retries;
    int64_t backoff_ns;
    int64_t retry_after_ns;
    int64_t connect_ns;
    int64_t first_byte_ns;
    int64_t stall_ns;
    int64_t ready_ns;
    int64_t event_bytes;
    /* Made by openai_options_check. */
    struct text base; /* with the version, without a slash behind it */
    bool is_clear;    /* neither TLS nor loopback */
    struct text extra_inside;
};

extern const char *const openai_limit_names[];
/* All but the last of its members; offsets are those of a struct that begins with the options. */
extern const struct tare_opt openai_option_table[];

/* Fills the made members. */
TARE_MUST_CHECK int openai_options_check(struct openai_options *options, struct tare_err *err);
void openai_options_free(struct openai_options *options);

#endif
