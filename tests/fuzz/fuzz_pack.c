/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of packs: what it accepts has a manifest, a recipe, and files of which nothing is missing. */
#include "fuzz.h"

#include "core/pack.h"

#include <stdlib.h>
#include <string.h>

static int item(void *self, size_t index, struct tare_item *out, struct tare_err *err)
{
    (void)self, (void)err;
    *out = (struct tare_item){.kind = TARE_ITEM_TEXT, .text = {"text", index}};
    return 0;
}

static size_t count(void *self)
{
    (void)self;
    return 3;
}

static const char *const words[] = {"manifest.json",  "prompts.jsonl", "recipe.json", "data/",
                                    "ustar",          "0000644",       "77777777777", "../",
                                    "{\"files\":[]}", "null",          "tare_pack",   NULL};

static int read_pack(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    struct tare_pack_read read;
    char *copy = fuzz_text(data, n);
    FILE *from = n > 0 ? fmemopen(copy, n, "rb") : tmpfile();
    (void)rng;
    fuzz_check(from != NULL, "no stream");
    int r = tare_pack_read(from, "fuzz", &read, err);
    if (r == 0) {
        fuzz_check(read.manifest && read.recipe && strlen(read.made.sha256) == 64, "a part is missing");
        fuzz_check(read.made.files > 0 && read.made.bytes <= (int64_t)n, "it holds more than was read");
        tare_pack_read_fini(&read);
    }
    (void)fclose(from);
    free(copy);
    return r;
}

int main(void)
{
    static const struct tare_task task = {TARE_TASK_HEADER, .name = "t", .version = 1, .count = count,
                                          .item = item};
    static const struct tare_pack_recipe recipe = {.task = "t", .seed = 1};
    static char bytes[1 << 14];
    const struct tare_pack_subject subject = {.task = &task, .recipe = &recipe};
    struct tare_pack_made made;
    struct tare_err err = {0};
    FILE *to = tmpfile();
    fuzz_check(to && tare_pack_make(&subject, to, "fuzz", &made, &err) == 0, "no pack to begin with");
    rewind(to);
    const struct fuzz_seed seed = {bytes, fread(bytes, 1, sizeof bytes, to)};
    (void)fclose(to);
    return fuzz_main(&(struct fuzz_target){"pack", &seed, 1, words, 20000, read_pack});
}
