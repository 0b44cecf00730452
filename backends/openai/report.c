/* SPDX-License-Identifier: Apache-2.0 */
/* What the backend knows of its own doing, as readings. */
#include "service.h"

#include <math.h>
#include <string.h>

struct line {
    const char *name, *unit, *source;
    enum tare_kind kind;
    double value;
    const char *why;   /* absent if the value is NaN */
    const char *flags; /* NULL: none */
};

static void put(struct tare_readings *to, const struct line *line)
{
    const struct tare_reading reading = {.name = line->name,
                                         .unit = line->unit,
                                         .scope = "process",
                                         .source = line->source,
                                         .kind = line->kind,
                                         .absent = isnan(line->value),
                                         .value = line->value,
                                         .why = line->why};
    const struct tare_doubt doubt = {
        .u = (double)NAN, .gain = (double)NAN, .flags = line->flags ? line->flags : ""};
    to->add_doubted(to, &reading, &doubt);
}

static double known(int64_t value)
{
    return value < 0 ? (double)NAN : (double)value;
}

static void report_server(const struct service *s, struct tare_readings *to)
{
    static const char why[] = "the server does not say";
    const struct line lines[] = {
        {"server_params", "1", "/v1/models", TARE_KIND_REPORTED, known(s->server_params), why, NULL},
        {"server_model_bytes", "B", "/v1/models", TARE_KIND_REPORTED, known(s->server_bytes), why, NULL},
        {"server_ctx", "tok", "/v1/models", TARE_KIND_REPORTED, known(s->server_ctx), why, NULL},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        put(to, &lines[i]);
    }
}

static void report_client(const struct service *s, struct tare_readings *to)
{
    const struct tally *t = &s->tally;
    const struct client_counts *c = client_counted(s->client);
    const char *retried = t->retries ? "RETRIED" : NULL;
    const char *bunched = t->in_read_max > 1 ? "COALESCED" : NULL;
    const struct line lines[] = {
        {"http_requests", "request", "client", TARE_KIND_COUNTED, (double)t->requests, "", NULL},
        {"http_failures", "request", "client", TARE_KIND_COUNTED, (double)t->failures, "", NULL},
        {"http_retries", "request", "client", TARE_KIND_COUNTED, (double)t->retries, "", retried},
        {"http_retry_after", "request", "client, retries at a time that the server named", TARE_KIND_COUNTED,
         (double)t->honoured, "", retried},
        {"http_connections", "1", "libcurl", TARE_KIND_COUNTED,
         (double)(c->connections - t->before.connections), "", NULL},
        {"http_events", "1", "client, events with something generated", TARE_KIND_COUNTED, (double)t->events,
         "", NULL},
        {"http_event_reads", "1", "client, reads that brought such events", TARE_KIND_COUNTED,
         (double)t->event_reads, "", bunched},
        {"http_kernel_stamps", "1", "client, reads whose time is the kernel's", TARE_KIND_COUNTED,
         (double)(c->kernel_stamps - t->before.kernel_stamps), "", NULL},
        {"http_events_per_read_max", "1", "client", TARE_KIND_COUNTED, (double)t->in_read_max, "", bunched},
        {"http_round_max", "s", "client, longest time that the loop took for what woke it",
         TARE_KIND_MEASURED, (double)c->round_max_ns / 1e9, "", NULL},
        {"payload_sent_bytes", "B", "client, bodies of requests", TARE_KIND_COUNTED,
         (double)(c->sent_bytes - t->before.sent_bytes), "", NULL},
        {"payload_received_bytes", "B", "client, bodies of answers", TARE_KIND_COUNTED,
         (double)(c->received_bytes - t->before.received_bytes), "", NULL},
        {"http_score_straddles", "tok", "client, scored tokens that begin before what is scored",
         TARE_KIND_COUNTED, (double)t->straddles, "", t->straddles ? "STRADDLES" : NULL},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        put(to, &lines[i]);
    }
}

static void report_usage(const struct service *s, struct tare_readings *to)
{
    const struct tally *t = &s->tally;
    static const char untold[] = "the server told no usage of any request";
    const double none = (double)NAN;
    bool bust = s->options.cache == CACHE_BUST;
    const char *cache = !bust ? "CACHE_DECLARED" : t->cache_hits ? "CACHE_HIT" : NULL;
    const char *partly = t->usage_told < t->requests ? "INCOMPLETE" : NULL;
    const struct line lines[] = {
        {"usage_prompt_tok", "tok", "usage of the answers", TARE_KIND_REPORTED,
         t->usage_told ? (double)t->prompt_tok : none, untold, partly},
        {"usage_output_tok", "tok", "usage of the answers", TARE_KIND_REPORTED,
         t->usage_told ? (double)t->output_tok : none, untold, partly},
        {"usage_cached_tok", "tok", "usage of the answers", TARE_KIND_REPORTED,
         t->cache_told ? (double)t->cached_tok : none, "the server does not say what came out of its cache",
         cache},
        {"server_prompt_time", "s", "timings of the answers", TARE_KIND_REPORTED,
         t->timed ? t->prompt_ms / 1e3 : none, "the server does not time itself", partly},
        {"server_output_time", "s", "timings of the answers", TARE_KIND_REPORTED,
         t->timed ? t->output_ms / 1e3 : none, "the server does not time itself", partly},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        put(to, &lines[i]);
    }
}

void report_readings(struct service *s, int measured, struct tare_readings *to)
{
    if (measured) {
        report_client(s, to);
        report_usage(s, to);
        return;
    }
    report_server(s, to);
    memset(&s->tally, 0, sizeof s->tally);
    s->tally.before = *client_counted(s->client);
}
