/* SPDX-License-Identifier: Apache-2.0 */
/* Mutations, the loop, and the words for a failure. */
#include "fuzz.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { max_input_bytes = 1 << 20, max_mutations = 6 };

/* What is being tried, for the message of a failure. */
static struct {
    const struct fuzz_target *target;
    uint64_t seed;
    unsigned iteration;
    const char *data;
    size_t n;
} now;

char *fuzz_text(const char *data, size_t n)
{
    char *text = malloc(n + 1);
    if (!text) {
        (void)fprintf(stderr, "out of memory\n");
        exit(1);
    }
    memcpy(text, data, n);
    text[n] = '\0';
    return text;
}

static void print_input(void)
{
    for (size_t i = 0; i < now.n && i < 2000; i++) {
        unsigned char c = (unsigned char)now.data[i];
        (void)fprintf(stderr, c >= ' ' && c <= '~' && c != '\\' ? "%c" : "\\x%02x", c);
    }
    (void)fprintf(stderr, "%s\n", now.n > 2000 ? "..." : "");
}

void fuzz_check(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "%s: %s; TARE_FUZZ_SEED=%llu, iteration %u, %zu bytes:\n", now.target->name,
                      what, (unsigned long long)now.seed, now.iteration, now.n);
        print_input();
        exit(1);
    }
}

/* The input as it grows and shrinks. */
struct input {
    char *data; /* max_input_bytes of it */
    size_t n;
};

static void insert(struct input *in, size_t at, const char *data, size_t n)
{
    if (n <= max_input_bytes - in->n) {
        memmove(in->data + at + n, in->data + at, in->n - at);
        memcpy(in->data + at, data, n);
        in->n += n;
    }
}

static void erase(struct input *in, size_t at, size_t n)
{
    memmove(in->data + at, in->data + at + n, in->n - at - n);
    in->n -= n;
}

/* A length that is mostly small. */
static size_t draw_length(struct tare_rng *rng, size_t most)
{
    size_t limit = (size_t)1 << tare_rng_below(rng, 12);
    return (size_t)tare_rng_below(rng, (limit < most ? limit : most) + 1);
}

/* A number of 1 to 8 bytes that sizes like to go wrong at. */
static void put_number(struct input *in, size_t at, struct tare_rng *rng)
{
    static const uint64_t numbers[] = {
        0,          1,          0x7f,       0x80,      0xff,       0x7fff,           0xffff,
        0x7fffffff, 0x80000000, 0xffffffff, INT64_MAX, UINT64_MAX, UINT64_C(1) << 63};
    uint64_t number = numbers[tare_rng_below(rng, sizeof numbers / sizeof *numbers)];
    size_t n = (size_t)1 << tare_rng_below(rng, 4);
    if (at + n <= in->n) {
        memcpy(in->data + at, &number, n);
    }
}

static void put_word(struct input *in, size_t at, struct tare_rng *rng)
{
    size_t n_words = 0;
    while (now.target->words[n_words]) {
        n_words++;
    }
    if (n_words > 0) {
        const char *word = now.target->words[tare_rng_below(rng, n_words)];
        insert(in, at, word, strlen(word));
    }
}

/* A piece of the input, or of another seed, put in somewhere else. */
static void put_piece(struct input *in, size_t at, struct tare_rng *rng)
{
    const struct fuzz_seed *seed = &now.target->seeds[tare_rng_below(rng, now.target->n_seeds)];
    size_t from = (size_t)tare_rng_below(rng, seed->n + 1);
    insert(in, at, seed->data + from, draw_length(rng, seed->n - from));
}

static void repeat_byte(struct input *in, size_t at, struct tare_rng *rng)
{
    static const char bytes[] = "[[{{(0 9\"\\a\n\xff";
    char run[4096];
    size_t n = draw_length(rng, sizeof run);
    memset(run, bytes[tare_rng_below(rng, sizeof bytes)], n);
    insert(in, at, run, n);
}

static void mutate(struct input *in, struct tare_rng *rng)
{
    size_t at = (size_t)tare_rng_below(rng, in->n + 1);
    bool inside = at < in->n;
    switch (tare_rng_below(rng, 9)) {
    case 0:
        if (inside) {
            in->data[at] = (char)(in->data[at] ^ (char)(1 << tare_rng_below(rng, 8)));
        }
        break;
    case 1:
        if (inside) {
            in->data[at] = (char)tare_rng_below(rng, 256);
        }
        break;
    case 2:
        in->n = at;
        break;
    case 3:
        erase(in, at, draw_length(rng, in->n - at));
        break;
    case 4:
        put_number(in, at, rng);
        break;
    case 5:
        repeat_byte(in, at, rng);
        break;
    case 6:
        put_piece(in, at, rng);
        break;
    default:
        put_word(in, at, rng);
        break;
    }
}

/* One input, in a block of its own size so that a sanitizer sees every byte read too far. */
static int try_one(const struct input *in, struct tare_rng *rng)
{
    struct tare_err err = {0};
    char *exact = malloc(in->n ? in->n : 1);
    if (!exact) {
        (void)fprintf(stderr, "out of memory\n");
        exit(1);
    }
    memcpy(exact, in->data, in->n);
    now.data = exact;
    now.n = in->n;
    int r = now.target->read(exact, in->n, rng, &err);
    fuzz_check(r >= 0 || err.code != 0, "a failure without a code");
    fuzz_check(r >= 0 || err.msg[0] != '\0', "a failure without a message");
    fuzz_check(r >= 0 || !strpbrk(err.msg, "\n\r"), "a message of several lines");
    free(exact);
    return r;
}

static unsigned long long setting(const char *name, unsigned long long otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

int fuzz_main(const struct fuzz_target *target)
{
    struct input in = {.data = calloc(max_input_bytes + 1, 1)};
    unsigned iterations = (unsigned)setting("TARE_FUZZ_ITERATIONS", target->iterations), accepted = 0;
    struct tare_rng root;
    if (!in.data) {
        return 1;
    }
    now.target = target;
    now.seed = setting("TARE_FUZZ_SEED", 1);
    tare_rng_init(&root, now.seed);
    for (unsigned i = 0; i < iterations; i++) {
        struct tare_rng rng = tare_rng_split(&root, target->name, i);
        const struct fuzz_seed *seed = &target->seeds[tare_rng_below(&rng, target->n_seeds)];
        now.iteration = i;
        memcpy(in.data, seed->data, seed->n);
        in.n = seed->n;
        /* The first ones are the seeds as they are. */
        for (uint64_t m = i < 10 ? 0 : 1 + tare_rng_below(&rng, 1 + tare_rng_below(&rng, max_mutations));
             m > 0; m--) {
            mutate(&in, &rng);
        }
        in.data[in.n] = '\0';
        int r = try_one(&in, &rng);
        fuzz_check(i >= 10 || r >= 0, "a valid input was refused");
        accepted += r >= 0;
    }
    free(in.data);
    (void)printf("%s: %u inputs, %u accepted, %u refused\n", target->name, iterations, accepted,
                 iterations - accepted);
    fuzz_check(accepted > 0 && accepted < iterations, "all inputs met the same fate");
    return 0;
}

static int hex_value(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;
    fuzz_check(at != NULL, "a corpus with an escape that is none");
    return (int)(at - digits);
}

/* In place: \xNN becomes a byte. Returns how many bytes there are. */
static size_t unescape(char *line)
{
    size_t n = 0;
    for (const char *at = line; *at && *at != '\n'; at++) {
        bool escaped = at[0] == '\\' && at[1] == 'x';
        line[n++] = escaped ? (char)(hex_value(at[2]) << 4 | hex_value(at[3])) : *at;
        at += escaped ? 3 : 0;
    }
    return n;
}

int fuzz_replay(const struct fuzz_target *target)
{
    const char *folder = getenv("TARE_FUZZ_CORPUS");
    char path[4096];
    if (!folder) {
        (void)printf("%s: no corpus, as TARE_FUZZ_CORPUS names no folder\n", target->name);
        return 0;
    }
    (void)snprintf(path, sizeof path, "%s/%s.txt", folder, target->name);
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    struct tare_rng root;
    now.target = target;
    now.data = "";
    now.n = 0;
    tare_rng_init(&root, now.seed = 1);
    fuzz_check(file != NULL, "the corpus is missing");
    for (now.iteration = 0; getline(&line, &room, file) > 0; now.iteration++) {
        struct tare_rng rng = tare_rng_split(&root, target->name, now.iteration);
        struct input in = {line, unescape(line)};
        (void)try_one(&in, &rng);
        now.n = 0; /* it is gone */
    }
    (void)printf("%s: %u inputs of the corpus\n", target->name, now.iteration);
    fuzz_check(now.iteration > 0, "the corpus is empty");
    free(line);
    (void)fclose(file);
    return 0;
}

static char *file_data; /* of the one file that a target reads */

void fuzz_file_free(struct fuzz_seed *seed)
{
    free(file_data);
    file_data = NULL;
    seed->data = NULL;
    seed->n = 0;
}

struct fuzz_seed fuzz_file(const char *variable, const char *name)
{
    struct fuzz_seed seed = {NULL, 0};
    const char *folder = getenv(variable);
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder ? folder : ".", name);
    FILE *file = folder ? fopen(path, "rb") : NULL;
    char *data = file ? malloc(max_input_bytes) : NULL;
    if (data) {
        seed.n = fread(data, 1, max_input_bytes, file);
        seed.data = file_data = data;
    }
    if (file) {
        (void)fclose(file);
    }
    return seed;
}
