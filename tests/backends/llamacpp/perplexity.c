/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rolling log-likelihood of a text by libllama alone: no line of tare is in here, so that what tare reports
 * can be compared with it. Prints the sum over the document in nats, bytes and tokens.
 *
 *     perplexity MODEL.gguf TEXT WINDOW
 *
 * Windows of WINDOW tokens follow each other without overlap; each begins with the model's
 * beginning-of-sequence token and predicts all of its tokens. The log-softmax is plain, in double.
 */
#include <dlfcn.h>
#include <ggml-backend.h>
#include <llama.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { text_max = 1 << 20 };

static void quiet(enum ggml_log_level level, const char *text, void *user)
{
    (void)user;
    if (level == GGML_LOG_LEVEL_ERROR) {
        (void)fputs(text, stderr);
    }
}

/* Devices lie beside libllama. */
static void load_devices(void)
{
    Dl_info info;
    const char *(*inside)(void) = llama_version;
    void *address = NULL;
    memcpy(&address, &inside, sizeof address);
    if (ggml_backend_dev_count() == 0 && dladdr(address, &info) != 0) {
        char folder[4096];
        const char *slash = strrchr(info.dli_fname, '/');
        (void)snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - info.dli_fname) : 0,
                       info.dli_fname);
        ggml_backend_load_all_from_path(folder);
    }
}

static double log_probability(const float *row, int n_vocab, llama_token id)
{
    double largest = (double)row[0], sum = 0;
    for (int i = 0; i < n_vocab; i++) {
        largest = fmax(largest, (double)row[i]);
    }
    for (int i = 0; i < n_vocab; i++) {
        sum += exp((double)row[i] - largest);
    }
    return (double)row[id] - largest - log(sum);
}

/* Sum over one window; NaN when libllama fails. */
static double window_nats(struct llama_context *context, const struct llama_vocab *vocab,
                          const llama_token *ids, int n)
{
    struct llama_batch batch = llama_batch_init(n, 0, 1);
    double sum = 0;
    for (int i = 0; i < n; i++) {
        batch.token[i] = i == 0 ? llama_vocab_bos(vocab) : ids[i - 1];
        batch.pos[i] = i;
        batch.n_seq_id[i] = 1;
        batch.seq_id[i][0] = 0;
        batch.logits[i] = 1;
    }
    batch.n_tokens = n;
    llama_memory_clear(llama_get_memory(context), true);
    int status = llama_decode(context, batch);
    for (int i = 0; status == 0 && i < n; i++) {
        sum += log_probability(llama_get_logits_ith(context, i), llama_vocab_n_tokens(vocab), ids[i]);
    }
    llama_batch_free(batch);
    return status == 0 ? sum : (double)NAN;
}

static struct llama_context *open_context(struct llama_model *model, int window)
{
    struct llama_context_params params = llama_context_default_params();
    params.n_ctx = (uint32_t)window;
    params.n_batch = params.n_ubatch = (uint32_t)window;
    params.n_threads = params.n_threads_batch = 1;
    return model ? llama_init_from_model(model, params) : NULL;
}

int main(int argc, char **argv)
{
    static char text[text_max];
    static llama_token ids[text_max];
    FILE *file = argc == 4 ? fopen(argv[2], "rb") : NULL;
    int window = argc == 4 ? atoi(argv[3]) : 0;
    if (!file || window < 1) {
        (void)fprintf(stderr, "usage: perplexity MODEL.gguf TEXT WINDOW\n");
        return 2;
    }
    int bytes = (int)fread(text, 1, sizeof text, file);
    (void)fclose(file);
    llama_log_set(quiet, NULL);
    load_devices();
    struct llama_model *model = llama_model_load_from_file(argv[1], llama_model_default_params());
    struct llama_context *context = open_context(model, window);
    if (!context) {
        return 1;
    }
    const struct llama_vocab *vocab = llama_model_get_vocab(model);
    int n = llama_tokenize(vocab, text, bytes, ids, text_max, false, false);
    double sum = 0;
    for (int at = 0; at < n; at += window) {
        sum += window_nats(context, vocab, ids + at, n - at < window ? n - at : window);
    }
    printf("%.12f %d %d\n", sum, bytes, n);
    llama_free(context);
    llama_model_free(model);
    return isnan(sum) ? 1 : 0;
}
