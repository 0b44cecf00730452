# SPDX-License-Identifier: Apache-2.0
"""The backend llamacpp through the program: answers beside those of the native engine on the same weights,
perplexity beside an independent program, and what becomes of files that are no model."""
import math
import os
import subprocess

from clilib import Skip, backends, contains, equal, is_sanitized, main, query, scalar, strict_json, tare, true

GGUF = os.environ.get("TARE_ZOO_GGUF", "")
# The same weights, and keys and values as the native engine keeps them.
EXACT = f"llamacpp,path={GGUF},name=gguf,type_k=f32,type_v=f32,flash_attn=off"
NATIVE = "native,path=zoo:llama-1m,name=native"
TOLERANCE = 2e-3  # nats, a token
ITEMS = int(os.environ.get("TARE_LLAMACPP_ITEMS", "120"))  # by hand: 500, as docs/backends/llamacpp.md tells


def need(*names):
    found = backends()
    for name in names:
        if name not in found:
            raise Skip(f"this build has no backend {name}")


def requests_of(db, model):
    """{(item, request): (log-likelihood, scored tokens)}"""
    rows = query(db, "SELECT q.item, q.request, q.loglik, q.scored_tok FROM request q JOIN repeat r ON "
                     "r.id = q.repeat_id JOIN cell c ON c.id = r.cell_id WHERE c.model = ?", model)
    return {(item, number): (loglik, scored) for item, number, loglik, scored in rows}


def graded(db, model):
    return query(db, "SELECT s.item, s.exact FROM sample s JOIN repeat r ON r.id = s.repeat_id JOIN cell c ON "
                     "c.id = r.cell_id WHERE c.model = ? ORDER BY s.item", model)


def likeliest(requests):
    """{item: its likeliest choice}"""
    best = {}
    for (item, number), (loglik, _) in sorted(requests.items()):
        if item not in best or loglik > requests[item, best[item]][0]:
            best[item] = number
    return best


def test_choices_are_those_of_the_native_engine():
    need("llamacpp", "native")
    items = min(ITEMS, 20) if is_sanitized() else ITEMS
    tare("run", "--db", "c.db", "--model", EXACT, "--model", NATIVE, "--task", f"choice,items={items}", "--repeats", "1")
    ours, theirs = requests_of("c.db", "gguf"), requests_of("c.db", "native")
    equal((len(ours), sorted(ours)), (4 * items, sorted(theirs)), "requests")
    worst = 0.0
    for key, (loglik, scored) in ours.items():
        equal(scored, theirs[key][1], f"scored tokens of request {key}")
        worst = max(worst, abs(loglik - theirs[key][0]) / scored)
    true(worst <= TOLERANCE, f"{worst} nats a token apart")
    equal(graded("c.db", "gguf"), graded("c.db", "native"), "which items are right")
    equal(likeliest(ours), likeliest(theirs), "likeliest choices")
    true(0 < sum(exact for _, exact in graded("c.db", "gguf")) < items, "some are right and some wrong")
    print(f"# {items} items, {len(ours)} requests: at most {worst:.2e} nats a token apart")


def test_perplexity_is_that_of_an_independent_program():
    need("llamacpp")
    with open(os.path.join(os.environ["TARE_DATA"], "text", "prose", "a01.txt"), "rb") as file:
        text = file.read().replace(b"\0", b"\n")[:6000]
    with open("text.txt", "wb") as to:
        to.write(text)
    done = subprocess.run([os.environ["TARE_PERPLEXITY"], GGUF, "text.txt", "512"], capture_output=True, text=True, check=True)
    nats, size, tokens = done.stdout.split()
    equal(int(size), len(text), "bytes that were read")
    true(int(tokens) > 2 * 512, "windows")
    tare("run", "--db", "p.db", "--model", f"llamacpp,path={GGUF}", "--task", f"text,path={os.path.abspath('text.txt')}",
         "--repeats", "1")
    loglik = scalar("p.db", "SELECT sum(loglik) FROM request")
    true(abs(math.exp(-loglik / int(tokens)) / math.exp(-float(nats) / int(tokens)) - 1) < 1e-6,
         f"perplexity: {loglik} nats here, {nats} there")
    reported = scalar("p.db", "SELECT value FROM figure WHERE name = 'bits_per_byte'")
    independent = -float(nats) / math.log(2) / len(text)
    true(abs(reported / independent - 1) < 1e-6, f"bits per byte: {reported} here, {independent} there")
    print(f"# {tokens} tokens: {loglik:.9f} and {float(nats):.9f} nats, {reported:.9f} and {independent:.9f} bits a byte")


def stored_message(db):
    return scalar(db, "SELECT DISTINCT message FROM repeat")


def test_what_is_no_model_leaves_stdout_clean():
    need("llamacpp")
    with open(GGUF, "rb") as file:
        data = file.read()
    for name, content in (("cut", data[:2000000]), ("head", data[:3000]), ("text", b"not a model"), ("empty", b"")):
        with open(f"{name}.gguf", "wb") as to:
            to.write(content)
    for name, words in (("cut", "not within the file bounds"), ("head", "failed to read"), ("text", "is no GGUF file"),
                        ("empty", "is no GGUF file"), ("missing", "No such file")):
        result = tare("run", "--json", "--db", f"{name}.db", "--model", f"llamacpp,path={os.path.abspath(name)}.gguf",
                      "--task", "tokens,items=2", "--repeats", "1", rc=3)
        strict_json(result.out, f"stdout with {name}")
        contains(stored_message(f"{name}.db"), words, name)
        contains(result.err, words, f"stderr with {name}")
        for noise in ("llama_model_loader", "load_tensors", "print_info"):
            true(noise not in result.err, f"{noise} on stderr with {name}: {result.err}")


def test_a_good_run_prints_nothing_of_the_library():
    need("llamacpp")
    result = tare("run", "--json", "--db", "g.db", "--model", f"llamacpp,path={GGUF}", "--task", "generate,items=2,max_output=8",
                  "--repeats", "1")
    strict_json(result.out, "stdout")
    true(len(result.err.splitlines()) <= 3, f"more than tare's own lines on stderr: {result.err}")
    known = {name: (value, unit, kind) for name, value, unit, kind in
             query("g.db", "SELECT name, value, unit, kind FROM figure WHERE absent IS NULL")}
    for name, unit, kind in (("weights_buffer_bytes", "B", "reported"), ("kv_buffer_bytes", "B", "reported"),
                             ("compute_buffer_bytes", "B", "reported"), ("llama_decode_time", "s", "measured"),
                             ("decode_flops_per_tok", "FLOP", "modelled"), ("kv_bytes_per_token", "B", "counted")):
        true(name in known and known[name][1:] == (unit, kind) and known[name][0] > 0, f"{name}: {known.get(name)}")
    # Two prompts, and a pass for every token but the last of each; all counted inside the measure phase.
    equal(known["llama_decode_calls"][0], 2 * 8, "calls of llama_decode")
    true(known["llama_decode_time"][0] <= known["measure_time"][0], "inside the measure phase")


def test_another_version_of_the_library_is_refused():
    need("llamacpp")
    if is_sanitized():
        raise Skip("a sanitizer wants to be the first library")
    fake = {"LD_PRELOAD": os.environ["TARE_FAKE_LLAMA_VERSION"]}
    listed = strict_json(tare("list", "backends", "--json", env=fake).out, "list")["backends"]
    entry = next(b for b in listed if b["name"] == "llamacpp")
    contains(str(entry), "9.9.9-other", "what the list says of it")
    result = tare("run", "--json", "--db", "v.db", "--model", f"llamacpp,path={GGUF}", "--task", "tokens,items=2",
                  "--repeats", "1", env=fake)
    strict_json(result.out, "stdout")
    equal(scalar("v.db", "SELECT outcome FROM repeat"), "skip", "outcome: as of any backend that does not work here")
    contains(stored_message("v.db"), "the library that was found is 9.9.9-other", "what is stored")
    equal(scalar("v.db", "SELECT count(*) FROM sample"), 0, "samples")


def test_options_show_in_what_is_stored():
    need("llamacpp")
    tare("run", "--db", "n.db", "--model", f"llamacpp,path={GGUF},n_ctx=64,type_k=q8_0,bos=never", "--task",
         "tokens,items=2,prompt_tok=8,max_output=4", "--repeats", "1")
    facts = strict_json(scalar("n.db", "SELECT model_facts FROM attempt"), "facts")
    equal((facts["n_ctx"], facts["bos"], facts["backend"]), (64, None, "llamacpp"), "facts")
    equal(facts["options"]["type_k"], "q8_0", "an option as it was in force")
    true(facts["backend_version"] and facts["tokenizer"].startswith("gguf-bpe-"), "version and tokenizer")


main(globals())
