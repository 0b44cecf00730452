#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the zoo from a folder of texts and writes its files. The command line and the order of work.

    python3 scripts/zoo/zoo.py --texts DIR --out DIR --only llama-1m,rwkv4-1m

README.md says what it needs, what a run costs and what lies in the output folder afterwards.
"""
import argparse
import dataclasses
import os
import sys

import torch

import catalogue
import compress
import corpus
import distill
import evaluate
import export
import flops
import items
import models
import record
import reference
import storage
import stream
import tokenizer
import train
from energy import SCOPE, SOURCE, Energy

VALIDATION_WINDOWS = 512
FINE_TUNE_SEED = 50
CALIBRATION_SEED = 99


def say(text):
    print(text, file=sys.stderr, flush=True)


class Session:
    """The data, the device and the output folder that all models of one call share."""

    def __init__(self, options):
        self.options, self.out = options, options.out
        splits = corpus.load(options.texts)
        self.tokenizer = self._tokenizer(splits["train"])
        self.items = self._data_files(splits)
        context = options.context
        prepared = stream.prepare(self.tokenizer, splits["train"], context, options.task_rows)
        say(f"{len(prepared[0])} tokens of text, {len(prepared[1])} rows of tasks")
        self.device = torch.device(options.device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.stream = stream.Stream(prepared, context, self.device)
        self.texts = {split: self._windows(splits[split], None) for split in ("test", "test_ood") if splits[split]}
        self.texts["valid"] = self._windows(splits["valid"], VALIDATION_WINDOWS)
        self.corpus = {"train_bytes": len(splits["train"]), "train_text_tokens": len(prepared[0]),
                       "train_sha256": corpus.sha256(splits["train"]), "test_sha256": corpus.sha256(splits["test"]),
                       "task_share": stream.TASK_SHARE, "tokenizer_sha": self.tokenizer.sha}
        self.energy = Energy(self.device)
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        self.idle_watts = self.energy.idle_watts()

    def _windows(self, text, most):
        return evaluate.windows(self.tokenizer, text, self.options.context, self.device, most)

    def _tokenizer(self, train_text):
        ready = self.options.tokenizer or os.path.join(self.options.texts, "tokenizer.json")
        if os.path.exists(ready):
            return tokenizer.Tokenizer.load(ready)
        if self.options.tokenizer:
            raise SystemExit(f"{ready}: no such file")
        say("training the tokenizer")
        return tokenizer.train(train_text)

    def _data_files(self, splits):
        """Writes out/data; -> the items to grade, those of the folder of texts if it has some."""
        folder = os.path.join(self.out, "data")
        self.tokenizer.save(os.path.join(folder, "tokenizer.json"))
        ready = os.path.join(self.options.texts, "eval_items.jsonl")
        if os.path.exists(ready):
            return items.read(ready)
        corpus.save(splits, folder)
        return items.write(splits["test"], folder)

    def path(self, kind, name, end=".safetensors"):
        return os.path.join(self.out, kind, name + end)

    def order(self, seed, steps):
        return self.stream.order(seed, steps, self.options.batch)

    def validate(self, model):
        return evaluate.score_text(model, self.texts["valid"])


def scores(session, model):
    """What evaluation says of a model: the fields of a record's run line."""
    model.eval()
    test = evaluate.score_text(model, session.texts["test"])
    found = {"test_bits_per_byte": test.bits_per_byte, "test_nll": test.nll_per_token, "test_bytes": test.n_bytes,
             "test_tokens": test.tokens, "ood_bits_per_byte": None,
             "final_valid_nll": session.validate(model).nll_per_token,
             "tasks": evaluate.score_items(model, session.items, session.tokenizer, session.device)}
    if "test_ood" in session.texts:
        found["ood_bits_per_byte"] = evaluate.score_text(model, session.texts["test_ood"]).bits_per_byte
    return found


def start_record(session, name, model, teacher=None, **fields):
    """`teacher` is a name."""
    total, non_embedding = flops.parameters(model)
    return record.Record(
        session.path("records", name, ".jsonl"), model=name, arch=model.config["arch"], config=model.config,
        params_total=total, params_non_embedding=non_embedding, teacher=teacher, **fields,
        batch=session.options.batch, context=session.options.context,
        flops_convention=flops.convention(model.config, teacher is not None),
        joules_scope=SCOPE, joules_source=SOURCE, idle_watts=session.idle_watts,
        corpus=session.corpus, hardware=record.hardware(session.device), software=record.software())


def finish_record(session, run, **fields):
    done = run.record.run
    done["flops_6nd"] = 6 * done["params_non_embedding"] * done["tokens"]
    done["flops_6nd_total"] = 6 * done["params_total"] * done["tokens"]
    absent = {} if done["joules"] is not None else {"joules_scope": None, "joules_source": None}
    run.record.finish(joules_reason=session.energy.reason, **absent, **fields)


def write_model(session, kind, name, tensors, model, **facts):
    """Writes a file, its reference logits, and what the stored tensors score; -> those scores.

    What is evaluated is the model read back from the tensors, f16 rounding included.
    """
    stored = export.from_tensors(tensors, model.config, session.device)
    found = scores(session, stored)
    facts["test_bpb"] = f"{found['test_bits_per_byte']:.5f}"
    path = session.path(kind, name)
    storage.save(path, tensors, export.metadata(name, model, session.tokenizer, **facts))
    tokens, logits = reference.write(path, session.path("refs", name, ".ref.safetensors"), session.tokenizer, name)
    with torch.no_grad():
        parallel = stored(torch.tensor([tokens], device=session.device))[0].double().cpu().numpy()
    found["file_bytes"] = os.path.getsize(path)
    found["parallel_vs_recurrent_max_abs"] = float(abs(parallel - logits).max())
    say(f"{name}: test {found['test_bits_per_byte']:.4f} bit/B, file {found['file_bytes']} B, "
        f"parallel against recurrent {found['parallel_vs_recurrent_max_abs']:.1e}")
    return found


def load_teacher(session, recipe):
    if recipe.teacher is None:
        return None
    path = session.path("models", recipe.teacher)
    if not os.path.exists(path):
        raise SystemExit(f"{recipe.name} is a student of {recipe.teacher}, and {path} is missing: train that first")
    return export.load(path, session.device)


def train_model(session, recipe):
    torch.manual_seed(1000 + recipe.seed)
    model, teacher = models.build(recipe.config).to(session.device), load_teacher(session, recipe)
    steps = max(1, round(session.options.steps * recipe.budget))
    log = start_record(session, recipe.name, model, recipe.teacher, base=None, seed=recipe.seed,
                       peak_rate=recipe.peak_rate, steps_planned=steps)
    run = train.Run(model, session.order(recipe.seed, steps), steps, recipe.peak_rate,
                    flops.training_per_token(model, teacher), log, session.energy, validate=session.validate)
    if teacher is not None:
        run.objective = distill.FromTeacher(teacher)
    train.fit(run)
    found = write_model(session, "models", recipe.name, export.to_tensors(model), model,
                        train_tokens=log.run["tokens"], seed=recipe.seed)
    finish_record(session, run, **found)
    say(f"{recipe.name}: {log.run['wall_seconds']} s, {log.run['joules']} J")


def fine_tune(session, base, kind, model, after_update, masks, facts):
    name, steps = f"{base}-{kind}", min(session.options.steps, compress.FINE_TUNE_STEPS)
    log = start_record(session, name, model, base=base, seed=FINE_TUNE_SEED,
                       peak_rate=compress.FINE_TUNE_RATE, steps_planned=steps)
    run = train.Run(model, session.order(FINE_TUNE_SEED, steps), steps, compress.FINE_TUNE_RATE,
                    flops.training_per_token(model), log, session.energy, after_update=after_update)
    train.fit(run)
    tensors = export.to_tensors(model)
    if masks:
        tensors = compress.pruned(tensors, masks)
    found = write_model(session, "variants", name, tensors, model, variant=kind, base=base, recovery_steps=steps,
                        recovery_seconds=log.run["wall_seconds"], recovery_joules=log.run["joules"], **facts)
    finish_record(session, run, **found)


def write_calibration(session, base, moments):
    rms = {name + ".in_rms": values for name, values in compress.input_rms(moments).items()}
    storage.save(session.path("variants", base + "-calib"), rms,
                 {"format": storage.FORMAT, "name": base + "-calib",
                  "what": "root mean square of each linear layer's input on training rows"})


def make_variants(session, base):
    """int8 and int4 of any model; pruned, low-rank and fine-tuned ones of a llama."""
    tensors, known = storage.load(session.path("models", base))
    model = export.load(session.path("models", base), session.device)
    variants, moments = compress.Variants(tensors, model), None
    if model.config["arch"] == "llama":
        moments = compress.second_moments(model, session.order(CALIBRATION_SEED, compress.CALIBRATION_ROWS))
        write_calibration(session, base, moments)
    if "int4" not in variants.quantized_kinds:
        say(f"{base}-int4 left out: a matrix has columns that do not fill groups of {storage.GROUP}")
    for kind, packed, facts in variants.untrained(moments):
        if kind != "svd":
            facts["n_params"] = known["n_params"]  # those that were trained, which a file of H3 does not show
        write_model(session, "variants", f"{base}-{kind}", packed,
                    export.from_tensors(packed, model.config), variant=kind, base=base, **facts)
    if moments:
        for job in variants.to_fine_tune(moments, session.device):
            fine_tune(session, base, *job)


def chosen(options):
    """The recipes that --only names, in the catalogue's order."""
    known = catalogue.recipes()
    names = options.only.split(",") if options.only else list(known)
    for name in names:
        if name not in known:
            raise SystemExit(f"no model '{name}'; there are: {', '.join(known)}")
    return [adapted(recipe, options) for name, recipe in known.items() if name in names]


def adapted(recipe, options):
    return dataclasses.replace(recipe, config=dict(recipe.config, max_ctx=options.context))


def parse():
    parser = argparse.ArgumentParser(description="Trains tare's zoo from a folder of public-domain texts.")
    parser.add_argument("--texts", help="folder of .txt books, or of train, valid and test (.txt or .txt.xz)")
    parser.add_argument("--out", help="output folder")
    parser.add_argument("--only", help="names of models, separated by commas; default: all")
    parser.add_argument("--variants", default="llama-1m",
                        help="models whose compression variants to make, or 'none' (default %(default)s)")
    parser.add_argument("--tokenizer", help="tokenizer.json to use; default: that of --texts, else a new one")
    parser.add_argument("--device", help="cuda or cpu; default: cuda if there is one")
    parser.add_argument("--steps", type=int, default=catalogue.STEPS)
    parser.add_argument("--batch", type=int, default=catalogue.BATCH)
    parser.add_argument("--context", type=int, default=catalogue.CONTEXT)
    parser.add_argument("--task-rows", type=int, default=stream.TASK_ROWS)
    parser.add_argument("--list", action="store_true", help="list the models and stop")
    parser.add_argument("--selftest", action="store_true", help="check the recipe itself, on the processor")
    return parser.parse_args()


def main():
    options = parse()
    if options.selftest:
        import selftest  # not above: it imports half of this folder for its own ends
        return selftest.main()
    if options.list:
        for name, recipe in catalogue.recipes().items():
            print(name, flops.parameters(models.build(recipe.config))[0])
        return 0
    if not options.texts or not options.out:
        raise SystemExit("--texts and --out are both needed")
    recipes = chosen(options)
    session = Session(options)
    for recipe in recipes:
        train_model(session, recipe)
        if recipe.name in options.variants.split(","):
            make_variants(session, recipe.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
