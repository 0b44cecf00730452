#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The openai backend against a scripted server on loopback: every fault is recorded as what it is, tokens are
counted by usage, and the key is nowhere."""
import os
import re
import struct
import subprocess

from clilib import (close, contains, equal, figures, is_slow, main, query, scalar, start, strict_json, tare, true,
                    write_plan)

MOCK = os.environ["TARE_MOCK_SERVER"]
SECRET = "sk-VeryVerySecret0123456789"
ITEMS, OUTPUT = 2, 8
LIMITS = {"first_byte": "300ms", "stall": "300ms", "backoff": "5ms"}
TASK = {"task": "generate", "options": {"items": ITEMS, "max_output": OUTPUT, "prompt_bytes": 60}}
ONCE = {"scenarios": [{"scenario": "single", "warmup": 0}], "repeats": 1}
URL = r"http://127\.0\.0\.1:\d+/v1/completions"
FAILED = rf"{{}}: {ITEMS} of {ITEMS} items failed, the first is item 0: "


class Mock:
    """The server, for as long as the block lasts."""

    def __init__(self, owner="mock"):
        self.owner = owner

    def __enter__(self):
        self.process = subprocess.Popen([MOCK, self.owner], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()

    def model(self, script, name=None, **options):
        return {"backend": "openai", "name": name or script,
                "options": {"url": self.url, "model": script, **LIMITS, **options}}


# script, options, what is told of the failure (None: none)
CELLS = [
    ("ok", {}, None),
    ("ok;echo:1", {"stream": "no"}, None),
    ("ok;n:4;tok:2", {"endpoint": "chat"}, None),
    ("usage_last", {}, None),
    ("split", {}, None),
    ("crlf", {}, None),
    ("think", {"endpoint": "chat"}, None),
    ("refuse;status:503;times:2", {}, None),
    ("slow;ttft_us:3000000", {}, rf"io: .*{URL}: no answer: no byte of an answer within first_byte"),
    ("stall", {}, rf"io: .*{URL}: status 200: the answer stopped for longer than stall"),
    ("cut", {}, rf"io: .*{URL}: status 200: .*"),
    ("cut_clean", {}, rf"io: .*{URL}: the answer was cut off after 3 events, before its end|"
                      r"io: .*the answer was cut off after 3 events, before its end"),
    ("malformed", {}, rf"format: .*{URL}: event 4 of the server.*"),
    ("no_usage", {}, r"backend: .*the server told no usage: .*"),
    ("wrong_usage", {}, r"backend: .*usage is wrong: 1 tokens in 8 events with text"),
    ("bad_usage", {}, rf"format: .*{URL}: completion_tokens.*"),
    ("late_text", {}, rf"format: .*{URL}: event 10 is out of order: text behind the finish_reason"),
    ("foreign", {}, rf"format: .*{URL}: event 4 belongs to another answer"),
    ("huge", {}, rf"limit: .*{URL}: an event of the server is longer than 1048576 bytes.*"),
    ("error_event", {}, rf"backend: .*{URL}: the server ended the answer with an error: the model fell over"),
    ("refuse;status:500", {}, rf"backend: .*{URL}: status 500: not now \(the last retry\)"),
    ("refuse;status:400", {}, rf"backend: .*{URL}: status 400: not now"),
    ("refuse;status:429;after_s:100", {},
     rf"backend: .*{URL}: status 429: not now \(the server asks to wait longer than retry_after allows\)"),
    ("tell_key", {}, rf"backend: .*{URL}: status 401: wrong key: \*+"),
]


def has_secret(path):
    with open(path, "rb") as file:
        return SECRET.encode() in file.read()


def test_every_fault_is_recorded_and_the_key_is_nowhere(folder):
    with Mock() as mock:
        models = [mock.model(script, **options) for script, options, _ in CELLS]
        plan = write_plan("plan.json", models, [TASK], **ONCE)
        done = tare("run", plan, "--db", "o.db", "--json", rc=3, env={"OPENAI_API_KEY": SECRET})
    strict_json(done.out, "stdout")
    for script, _, message in CELLS:
        found = query("o.db", "SELECT r.outcome, r.message, c.verdict FROM cell c JOIN repeat r ON r.cell_id = c.id "
                              "WHERE c.model = ?", script)
        equal(len(found), 1, script)
        outcome, told, verdict = found[0]
        equal(outcome, "error" if message else "ok", f"{script}: {told}")
        equal(verdict, "INVALID" if message else "VALID", script)
        true(told is None if message is None else re.fullmatch(message, told),
             f"{script}: {told!r} is not {message!r}")
    equal(scalar("o.db", "PRAGMA integrity_check"), "ok", "database")
    true(SECRET not in done.out + done.err, "the key is on an output")
    for name in os.listdir(folder):
        true(not has_secret(name), f"the key is in {name}")
    for command in (["show", "--db", "o.db", "--json"], ["report", "--db", "o.db"], ["list", "backends", "--json"]):
        shown = tare(*command, env={"OPENAI_API_KEY": SECRET}, rc=None)
        true(SECRET not in shown.out + shown.err, f"the key is shown by {command}")


def readings(db, script):
    return {name: (value, flags) for name, value, flags in query(
        db, "SELECT d.name, d.value, d.flags FROM reading d JOIN attempt a ON a.id = d.attempt_id JOIN repeat r ON "
            "r.id = a.repeat_id JOIN cell c ON c.id = r.cell_id WHERE d.meter = 'backend' AND c.model = ?", script)}


def samples(db, script):
    return query(db, "SELECT s.prompt_tok, s.output_tok, s.ttft_ns, s.latency_ns, s.token_ns, s.output FROM sample s "
                     "JOIN repeat r ON r.id = s.repeat_id JOIN cell c ON c.id = r.cell_id WHERE c.model = ?", script)


def stamps(blob):
    return struct.unpack(f"{len(blob) // 8}q", blob)


def test_tokens_are_what_usage_says():
    scripts = ["ok;tok:3;n:6;itl_us:2000", "ok;n:8;batch:4;itl_us:4000", "think;n:6;itl_us:2000", "ok;stop_at:2;n:5"]
    with Mock() as mock:
        models = [mock.model(s) for s in scripts[:2]]
        models += [mock.model(scripts[2], endpoint="chat"), mock.model("ok;n:5", "whole", stream="no")]
        task = {**TASK, "options": {**TASK["options"], "max_output": 32}}
        plan = write_plan("plan.json", models, [task], **ONCE)
        tare("run", plan, "--db", "t.db")
        stop = {**TASK, "options": {**TASK["options"], "stop": "STOP"}}
        plan = write_plan("stop.json", [mock.model(scripts[3])], [stop], **ONCE)
        failed = tare("run", plan, "--db", "s.db", rc=3)
    for prompt, output, ttft, latency, token_ns, text in samples("t.db", scripts[0]):
        true(prompt > 0, "prompt tokens are the server's")
        equal(output, 18, "6 events of 3 tokens")
        equal(len(stamps(token_ns)), 6, "stamps are of events")
        equal(text.decode(), "".join(f"w{i} " for i in range(6)), "text")
        equal(ttft, stamps(token_ns)[0], "first event")
        true(latency >= stamps(token_ns)[-1], "the answer ends behind its last event")
    f = figures("t.db", scripts[0])
    contains(f["itl_p50"]["flags"], "EVENTS_NOT_TOKENS", "gaps of events are flagged")
    true("EVENTS_NOT_TOKENS" not in (f["tpot_p50"]["flags"] or ""), "time per token goes by usage")
    for _, output, _, _, token_ns, _ in samples("t.db", scripts[1]):
        equal(output, 8, "8 events of one token")
        equal([len(set(stamps(token_ns)[i:i + 4])) for i in (0, 4)], [1, 1], "four of one read share a stamp")
    contains(figures("t.db", scripts[1])["itl_p50"]["flags"], "COALESCED", "gaps of 0 are flagged")
    true("EVENTS_NOT_TOKENS" not in figures("t.db", scripts[1])["itl_p50"]["flags"], "as many as tokens")
    told = readings("t.db", scripts[1])
    equal(told["http_events"][0], 8.0 * ITEMS, "events")
    equal(told["http_events_per_read_max"], (4.0, "COALESCED"), "largest read")
    for _, output, ttft, _, token_ns, text in samples("t.db", scripts[2]):
        equal(output, 6, "thoughts are tokens")
        equal(text.decode(), "w3 w4 w5 ", "but no text of the answer")
        equal(len(stamps(token_ns)), 6, "and they have their times")
    for _, output, ttft, _, token_ns, text in samples("t.db", "whole"):
        equal((output, ttft, token_ns), (5, None, None), "an answer as a whole has no time to the first token")
        equal(text.decode(), "w0 w1 w2 w3 w4 ", "text")
    contains(scalar("s.db", "SELECT message FROM repeat"), "went on behind a stop string", "a stop that is ignored")
    contains(failed.err, "invalid", "and the run says so")


def test_what_the_client_took_is_not_the_model_s():
    with Mock() as mock:
        tare("run", write_plan("plan.json", [mock.model("ok")], [TASK], **ONCE), "--db", "e.db")
    f = figures("e.db")
    for name in ("peak_rss", "cpu_user"):
        contains(f[name]["absent"], "another process", name)
    contains(f["load_time"]["flags"], "ELSEWHERE", "the time in which no model was loaded")
    for name in ("latency_p50", "ttft_p50", "request_throughput", "net_sent_bytes"):
        true("ELSEWHERE" not in (f[name]["flags"] or ""), name)
    for name in ("output_throughput", "decode_throughput", "token_throughput", "tpot_p50"):
        equal(f[name]["kind"], "reported", name)
    contains(f["output_throughput"]["source"], "as the server reports", "source")
    equal(f["request_throughput"]["kind"], "measured", "requests are ours to count")


def test_retries_are_counted_and_retry_after_is_kept():
    with Mock() as mock:
        plan = write_plan("plan.json", [mock.model("refuse;status:429;times:1;after_s:1"), mock.model("ok")],
                          [TASK], **ONCE)
        tare("run", plan, "--db", "r.db")
    told = readings("r.db", "refuse;status:429;times:1;after_s:1")
    equal(told["http_retries"], (1.0, "RETRIED"), "retries")
    equal(told["http_retry_after"], (1.0, "RETRIED"), "at the server's time")
    equal(told["http_requests"][0], float(ITEMS), "requests")
    latencies = sorted(s[3] for s in samples("r.db", "refuse;status:429;times:1;after_s:1"))
    true(1e9 <= latencies[-1] < 5e9, f"one second was waited: {latencies}")
    told = readings("r.db", "ok")
    equal(told["http_retries"], (0.0, ""), "none")
    equal(told["http_connections"][0], 0.0, "the connection of loading is kept")
    equal(told["usage_cached_tok"][0], None, "a cache that nothing is said of is unknown")


def test_cache():
    with Mock() as mock:
        models = [mock.model("ok;cached:7", "bust"), mock.model("ok;cached:7", "declared", cache="declared"),
                  mock.model("ok;cached:0", "cold")]
        tare("run", write_plan("plan.json", models, [TASK], **ONCE), "--db", "c.db")
    equal(readings("c.db", "bust")["usage_cached_tok"], (7.0 * ITEMS, "CACHE_HIT"), "a hit in spite of busting")
    equal(readings("c.db", "declared")["usage_cached_tok"], (7.0 * ITEMS, "CACHE_DECLARED"), "declared")
    equal(readings("c.db", "cold")["usage_cached_tok"], (0.0, ""), "no hit")
    plain = samples("c.db", "declared")[0][0]
    true(samples("c.db", "bust")[0][0] > plain, "a prefix of its own is before the prompt")
    with Mock("llamacpp") as mock:
        tare("run", write_plan("plan.json", [mock.model("ok")], [TASK], **ONCE), "--db", "l.db")
    equal(samples("l.db", "ok")[0][0], plain, "llama-server is told by its flag instead")


CHOICE = {"task": "choice", "options": {"path": "prose.txt", "items": 4}}


def write_prose():
    """Paragraphs of one-byte characters: the mock's tokens are two bytes each."""
    with open("prose.txt", "w", encoding="ascii") as to:
        for paragraph in range(6):
            to.write(" ".join(f"word{paragraph}x{i}" for i in range(80)) + "\n\n")


def test_prompts_are_scored_only_if_the_probe_proves_it():
    scripts = {"ok;echo:0": "add up|logprobs", "ok;echo:1": None, "ok;echo:2": "add up", "ok;echo:3": None}
    write_prose()
    with Mock() as mock:
        models = [mock.model(s) for s in scripts] + [mock.model("ok;echo:1", "chat", endpoint="chat")]
        tare("run", write_plan("plan.json", models, [CHOICE], **ONCE), "--db", "p.db", "--json")
    for script, why in {**scripts, "chat": "chat endpoint"}.items():
        outcome, message = query("p.db", "SELECT r.outcome, r.message FROM repeat r JOIN cell c ON c.id = r.cell_id "
                                         "WHERE c.model = ?", script)[0]
        equal(outcome, "skip" if why else "ok", f"{script}: {message}")
        true(not why or re.search(rf"cannot score.*({why})", message), f"{script}: {message}")
    for script in ("ok;echo:1", "ok;echo:3"):
        rows = query("p.db", "SELECT q.loglik, q.prompt_tok, q.scored_tok FROM request q JOIN repeat r ON r.id = "
                             "q.repeat_id JOIN cell c ON c.id = r.cell_id WHERE c.model = ?", script)
        equal(len(rows), 16, f"{script}: four items of four choices")
        for loglik, tokens, scored in rows:
            true(30 <= scored <= 41, f"{script}: {scored} tokens of a choice of 60 to 80 bytes")
            close(loglik, sum(-0.5 * (1 + i % 3) for i in range(tokens - scored, tokens)), f"{script}: sum", 1e-12)
    straddles = readings("p.db", "ok;echo:1")["http_score_straddles"][0]
    odd = readings("p.db", "ok;echo:1")["http_requests"][0]
    true(0 <= straddles <= odd, "tokens that begin in the context are counted")


def test_tasks_of_tokens_are_skipped():
    with Mock() as mock:
        plan = write_plan("plan.json", [mock.model("ok;echo:1")],
                          [{"task": "tokens"}, {"task": "text"},
                           {"task": "generate", "options": {"prompt_tok": 8}}], **ONCE)
        tare("run", plan, "--db", "k.db")
    found = query("k.db", "SELECT c.task, r.outcome, r.message FROM repeat r JOIN cell c ON c.id = r.cell_id")
    equal(len(found), 3, "cells")
    for task, outcome, message in found:
        equal(outcome, "skip", f"{task}: {message}")
        contains(message, "understands text only", task)


def test_nobody_listens_and_no_list():
    with Mock("") as mock:  # no list of models
        done = tare("run", "--model", f"openai,url={mock.url},model=ok", "--task", "generate,items=1,max_output=2",
                    "--db", "n.db", "--repeats", "1")
        equal(scalar("n.db", "SELECT count(*) FROM sample WHERE error IS NULL AND output_tok = 2") > 0, True, done)
        unnamed = tare("run", "--model", f"openai,url={mock.url}", "--task", "generate", "--db", "u.db",
                       "--repeats", "1", rc=3)
        contains(scalar("u.db", "SELECT max(message) FROM repeat"), "name one by model=", unnamed)
        gone = mock.url
    tare("run", "--model", f"openai,url={gone},model=ok,ready=0s,retries=1,backoff=1ms", "--task", "generate", "--db",
         "g.db", "--repeats", "1", rc=3)
    contains(scalar("g.db", "SELECT max(message) FROM repeat"), f"{gone}/v1/models: no answer", "refused connection")
    for url in ("http://user:hunter2@127.0.0.1:1", "gopher://127.0.0.1"):
        bad = tare("run", "--model", f"openai,url={url},model=ok", "--task", "generate", "--db", "b.db",
                   "--repeats", "1", rc=3)
        true("hunter2" not in bad.out, "a password is not repeated")


def test_a_key_is_not_sent_in_the_clear_to_others():
    tare("run", "--model", "openai,url=http://192.0.2.1,model=ok,ready=0s", "--task", "generate", "--db", "k.db",
         "--repeats", "1", rc=3,
         env={"OPENAI_API_KEY": SECRET})
    contains(scalar("k.db", "SELECT max(message) FROM repeat"), "without TLS", "refused before anything is sent")


def process_has_secret(pid):
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return SECRET.encode() in file.read()
    except OSError:
        return False


def test_the_worker_hides_the_key_and_leaves_no_core():
    with Mock() as mock:
        running = start("run", "--model", f"openai,url={mock.url},model=ok;ttft_us:400000", "--task",
                        "generate,items=1,max_output=2", "--db", "w.db", "--repeats", "1",
                        env={"OPENAI_API_KEY": SECRET})
        limits = []
        while running.poll() is None:
            for child in worker_of(running.pid):
                if connected(child):
                    limits.append((core_limit(child), process_has_secret(child)))
        running.communicate()
    true(limits, "no worker was seen")
    equal(limits[-1], ("1", False), "soft limit of cores, key in the environment")


def worker_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def connected(pid):
    """Has it a socket yet? It opens one only when it knows the key."""
    try:
        return any(os.readlink(f"/proc/{pid}/fd/{fd}").startswith("anon_inode:[eventpoll]")
                   for fd in os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return False


def core_limit(pid):
    try:
        with open(f"/proc/{pid}/limits", encoding="ascii") as file:
            return next(line.split()[4] for line in file if line.startswith("Max core file size"))
    except (OSError, StopIteration):
        return None


def test_no_event_comes_before_it_is_sent_and_none_waits():
    """The text of an event is when it was sent; some answers are there before the client begins to wait."""
    script = "ok;stamp:1;itl_us:300"
    with Mock() as mock:
        models = [mock.model(script), mock.model("ok;stamp:1", "at once")]
        task = {"task": "generate", "options": {"items": 8, "max_output": 6, "prompt_bytes": 60}}
        tare("run", write_plan("plan.json", models, [task], **ONCE), "--db", "m.db")
    for model in (script, "at once"):
        rows = query("m.db", "SELECT p.begin_ns + s.start_ns, s.token_ns, s.output, s.latency_ns FROM sample s JOIN "
                             "phase p ON p.attempt_id = s.attempt_id AND p.name = 'measure' JOIN repeat r ON r.id = "
                             "s.repeat_id JOIN cell c ON c.id = r.cell_id WHERE c.model = ?", model)
        equal(len(rows), 8, model)
        late = []
        for begin, token_ns, text, latency in rows:
            sent = [int(word, 16) for word in text.decode().split()[::2]]
            at = stamps(token_ns)
            equal(len(at), len(sent), "events")
            # Those of one read share the stamp of the first.
            late += [begin + at[i] - sent[i] for i in range(len(at)) if i == 0 or at[i] != at[i - 1]]
        true(min(late) > -20000, f"{model}: an event came {-min(late)} ns before it was sent")
        true(is_slow() or sorted(late)[len(late) // 2] < 1e6, f"{model}: {sorted(late)}")
        true(is_slow() or sorted(r[3] for r in rows)[4] < 12e6, f"{model}: answers waited: {rows}")


def test_the_times_are_the_server_s():
    """Nominal times of the mock, as medians over a run of their own."""
    script = "ok;ttft_us:20000;itl_us:5000"
    with Mock() as mock:
        plan = write_plan("plan.json", [mock.model(script)],
                          [{"task": "generate", "options": {"items": 6, "max_output": 8, "prompt_bytes": 60}}],
                          **ONCE)
        tare("run", plan, "--db", "m.db")
    ttft = sorted(s[2] for s in samples("m.db", script))
    true(ttft[0] >= 20e6, f"nothing comes before it is sent: {ttft}")
    true(is_slow() or ttft[0] < 22e6, f"time to the first token: {ttft}")
    f = figures("m.db", script)
    true(0.0045 < f["tpot_p50"]["value"] < (0.05 if is_slow() else 0.0065), f["tpot_p50"])


if __name__ == "__main__":
    main(globals())
