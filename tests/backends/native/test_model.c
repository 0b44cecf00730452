/* SPDX-License-Identifier: Apache-2.0 */
/* Building a model out of a file: files that lie, that are damaged, and that hold what is not known. */
#include "fixture.h"

#include "arch.h"

#include <stdio.h>
#include <string.h>

static int build_of(const char *arch, const struct edit *edit, struct tare_model *model, struct tare_err *err)
{
    struct blob b = fixture_model_of(arch, edit);
    struct tare_safetensors st = {0};
    int rc = tare_safetensors_parse(&st, b.bytes, b.n, "test", err);
    if (rc == 0) {
        rc = tare_model_build(model, &st, "test", err);
        tare_safetensors_close(&st);
    }
    free(b.bytes);
    return rc;
}

static int build(const struct edit *edit, struct tare_model *model, struct tare_err *err)
{
    return build_of("llama", edit, model, err);
}

static const struct edit lies[] = {
    {.what = "no format", .meta_key = "format"},
    {.what = "other format", .meta_key = "format", .meta_value = "\"pt\""},
    {.what = "no arch", .meta_key = "arch"},
    {.what = "no name", .meta_key = "name"},
    {.what = "empty name", .meta_key = "name", .meta_value = "\"\""},
    {.what = "no tokenizer", .meta_key = "tokenizer_sha"},
    {.what = "no width", .meta_key = "d_model"},
    {.what = "width is zero", .meta_key = "d_model", .meta_value = "\"0\""},
    {.what = "width is negative", .meta_key = "d_model", .meta_value = "\"-8\""},
    {.what = "width is signed", .meta_key = "d_model", .meta_value = "\"+8\""},
    {.what = "width with a blank", .meta_key = "d_model", .meta_value = "\" 8\""},
    {.what = "width is hexadecimal", .meta_key = "d_model", .meta_value = "\"0x8\""},
    {.what = "width is empty", .meta_key = "d_model", .meta_value = "\"\""},
    {.what = "width is a number", .meta_key = "d_model", .meta_value = "8"},
    {.what = "width is huge", .meta_key = "d_model", .meta_value = "\"99999999999999999999\""},
    {.what = "width is another", .meta_key = "d_model", .meta_value = "\"16\""},
    {.what = "heads do not fit", .meta_key = "n_heads", .meta_value = "\"3\""},
    {.what = "heads of another width", .meta_key = "head_dim", .meta_value = "\"8\""},
    {.what = "no layers", .meta_key = "n_layers", .meta_value = "\"0\""},
    {.what = "more layers", .meta_key = "n_layers", .meta_value = "\"2\""},
    {.what = "many layers", .meta_key = "n_layers", .meta_value = "\"4294967297\""},
    {.what = "other ffn", .meta_key = "ffn", .meta_value = "\"16\""},
    {.what = "huge ffn", .meta_key = "ffn", .meta_value = "\"65536\""},
    {.what = "other vocabulary", .meta_key = "vocab", .meta_value = "\"255\""},
    {.what = "huge vocabulary", .meta_key = "vocab", .meta_value = "\"65536\""},
    {.what = "no context", .meta_key = "max_ctx"},
    {.what = "context of zero", .meta_key = "max_ctx", .meta_value = "\"0\""},
    {.what = "huge context", .meta_key = "max_ctx", .meta_value = "\"1000000000000\""},
    {.what = "bos outside the vocabulary", .meta_key = "bos", .meta_value = "\"256\""},
    {.what = "no parameters", .meta_key = "n_params"},
    {.what = "other number of parameters", .meta_key = "n_params", .meta_value = "\"2521\""},
    {.what = "no embedding", .tensor = "embed.weight", .rename = "embedding.weight"},
    {.what = "embedding turned", .tensor = "embed.weight", .shape = "[8,256]"},
    {.what = "embedding flat", .tensor = "embed.weight", .shape = "[2048]"},
    {.what = "embedding in one more dimension", .tensor = "embed.weight", .shape = "[256,8,1]"},
    {.what = "embedding in I16", .tensor = "embed.weight", .dtype = "I16"},
    {.what = "matrix missing", .tensor = "blocks.0.mlp.up.weight", .rename = "blocks.1.mlp.up.weight"},
    {.what = "matrix dropped", .tensor = "blocks.0.attn.v.weight", .drop = 1},
    {.what = "norm dropped", .tensor = "norm_f.weight", .drop = 1},
    {.what = "norm turned", .tensor = "blocks.0.norm2.weight", .shape = "[1,8]"},
    {.what = "norm in I32", .tensor = "blocks.0.norm1.weight", .dtype = "I32"},
    {.what = "tensor too many", .extra = 1},
};

static void test_refuses_lies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct tare_model model = {0};
        struct tare_err err = {0};
        int rc = build(&lies[i], &model, &err);
        if (rc >= 0 || err.code != rc || err.msg[0] == '\0' || strchr(err.msg, '\n')) {
            fail_msg("not refused with a reason: %s", lies[i].what);
        }
        assert_memory_equal(&model, &(struct tare_model){0}, sizeof model);
    }
}

/* What later engines may run is told from what is broken, and named. */
static void test_names_what_it_cannot_run(void **state)
{
    (void)state;
    static const struct {
        struct edit edit;
        const char *named;
    } rows[] = {
        {{.meta_key = "arch", .meta_value = "\"rwkv9\""}, "rwkv9"},
        {{.tensor = "blocks.0.attn.q.weight", .dtype = "I16"}, "blocks.0.attn.q.weight"},
        {{.tensor = "embed.weight", .dtype = "U16"}, "embed.weight"},
        {{.tensor = "blocks.0.mlp.up.weight", .rename = "blocks.0.mlp.up.weight.codes"},
         "blocks.0.mlp.up.weight.codes"},
        {{.tensor = "blocks.0.mlp.down.weight", .rename = "blocks.0.mlp.down.c.weight"},
         "blocks.0.mlp.down.c.weight"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tare_model model = {0};
        struct tare_err err = {0};
        assert_int_equal(build(&rows[i].edit, &model, &err), TARE_E_UNSUPPORTED);
        assert_non_null(strstr(err.msg, rows[i].named));
    }
}

static void must_refuse(const char *arch, const struct edit *edit)
{
    struct tare_model model = {0};
    struct tare_err err = {0};
    int rc = build_of(arch, edit, &model, &err);
    if (rc >= 0 || err.code != rc || err.msg[0] == '\0' || strchr(err.msg, '\n')) {
        fail_msg("%s: not refused with a reason: %s%s%s of %s", arch, edit->what, edit->tensor ? " " : "",
                 edit->tensor ? edit->tensor : "", edit->meta_key ? edit->meta_key : "a tensor");
    }
    assert_memory_equal(&model, &(struct tare_model){0}, sizeof model);
}

static const char *const archs[] = {"llama", "rwkv4", "h3", "hyena", "retnet", "mamba"};
enum { n_archs = sizeof archs / sizeof archs[0] };

/* No tensor of any architecture can be missing or have another shape or type. */
static void test_needs_every_tensor(void **state)
{
    (void)state;
    for (int i = 0; i < n_archs; i++) {
        char name[64];
        size_t elements;
        struct tare_model model = {0};
        struct tare_err err = {0};
        if (build_of(archs[i], NULL, &model, &err) < 0) {
            fail_msg("%s", err.msg); /* without an edit it is a model */
        }
        tare_model_close(&model);
        for (size_t t = 0; (elements = fixture_tensor(archs[i], t, name, sizeof name)) > 0; t++) {
            char shape[40];
            (void)snprintf(shape, sizeof shape, "[1,%zu]", elements);
            must_refuse(archs[i], &(struct edit){.what = "missing", .tensor = name, .drop = 1});
            must_refuse(archs[i], &(struct edit){.what = "other shape", .tensor = name, .shape = shape});
            must_refuse(archs[i],
                        &(struct edit){.what = "other name", .tensor = name, .rename = "blocks.7.x"});
            must_refuse(archs[i], &(struct edit){.what = "other type", .tensor = name, .dtype = "F64"});
        }
    }
}

/* Nor can a size be absent, absurd, or another than that of the tensors. */
static void test_needs_every_size(void **state)
{
    (void)state;
    static const char *const common[] = {"d_model", "n_layers", "ffn", "vocab"};
    static const char *const values[] = {NULL,        "\"0\"",   "\"-1\"",         "\"1\"",
                                         "\"7\"",     "\"64\"",  "\"1024\"",       "\"65535\"",
                                         "\"65536\"", "\"1e3\"", "\"4294967298\"", "\"999999999999999\""};
    for (int i = 0; i < n_archs; i++) {
        const char *own;
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
            for (size_t k = 0; k < 4; k++) {
                if (i > 0 || k != 1 || v != 3) { /* the small llama has one layer */
                    must_refuse(
                        archs[i],
                        &(struct edit){.what = "size", .meta_key = common[k], .meta_value = values[v]});
                }
            }
            for (size_t k = 0; (own = fixture_key(archs[i], k)) != NULL; k++) {
                must_refuse(archs[i],
                            &(struct edit){.what = "size", .meta_key = own, .meta_value = values[v]});
            }
        }
    }
}

/* Every flipped bit of the header of a model file: refused, or a model of the size that it says. */
static void damage(const char *arch)
{
    struct blob b = fixture_model_of(arch, NULL);
    size_t header = 8 + (size_t)b.bytes[0] + ((size_t)b.bytes[1] << 8);
    for (size_t i = 0; i < header; i++) {
        struct tare_safetensors st = {0};
        struct tare_model model = {0};
        struct tare_err err = {0};
        b.bytes[i] ^= (unsigned char)(1u << i % 8);
        if (tare_safetensors_parse(&st, b.bytes, b.n, "test", &err) == 0) {
            if (tare_model_build(&model, &st, "test", &err) == 0) {
                struct tare_linear_facts facts;
                tare_model_facts(&model, &facts);
                int64_t derived = model.arch->derived_params ? model.arch->derived_params(&model.config) : 0;
                assert_int_equal(facts.params + derived, model.config.n_params);
                assert_true(strcmp(arch, "llama") != 0 || facts.params == small_params);
                tare_model_close(&model);
            } else {
                assert_true(err.msg[0] != '\0');
            }
            tare_safetensors_close(&st);
        }
        b.bytes[i] ^= (unsigned char)(1u << i % 8);
    }
    free(b.bytes);
}

static void test_survives_damage(void **state)
{
    (void)state;
    for (int i = 0; i < n_archs; i++) {
        damage(archs[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refuses_lies),       cmocka_unit_test(test_names_what_it_cannot_run),
        cmocka_unit_test(test_needs_every_tensor), cmocka_unit_test(test_needs_every_size),
        cmocka_unit_test(test_survives_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
