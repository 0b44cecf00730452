#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A worker over Hugging Face Transformers: any causal language model that AutoModelForCausalLM loads.

The model is the path, or model=NAME (a folder or a name in the local cache; nothing is downloaded unless
online=yes). With random=LAYERSxWIDTH a Llama of that shape is made from a configuration alone, with random weights
and bytes as tokens. Run with Transformers 5.17 and PyTorch 2.11.

Settings: model, device (cpu), dtype (float32), threads (1), attention (the library's default), quantization (none,
int8, int4: bitsandbytes), adapter (a PEFT folder), tokenizer, logits (no), reuse_prefix (yes in float32, else no),
compile (no), flops (0: or count the FLOPs of one pass over so many tokens), trust_code (no), online (no), random, seed, vocab, ctx.
"""
import ctypes
import hashlib
import os

import torch

import tare_worker
from tare_worker import Refused, flag, number

SETTINGS = {"model", "device", "dtype", "threads", "attention", "quantization", "adapter", "tokenizer", "logits",
            "reuse_prefix", "compile", "flops", "trust_code", "online", "random", "seed", "vocab", "ctx"}
DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
HEAD_DIM = 64  # of random models


def random_model(transformers, text, settings, dtype):
    """A Llama out of a configuration, without a file."""
    layers, _, width = text.partition("x")
    if not (layers.isdigit() and width.isdigit() and int(layers) and int(width) and int(width) % HEAD_DIM == 0):
        raise Refused(f"setting random: {text!r} is not LAYERSxWIDTH with a width in steps of {HEAD_DIM}", "usage")
    width = int(width)
    config = transformers.LlamaConfig(
        vocab_size=number(settings, "vocab", 32000, 257), hidden_size=width, num_hidden_layers=int(layers),
        intermediate_size=-(-width * 8 // 3 // 64) * 64, num_attention_heads=width // HEAD_DIM,
        num_key_value_heads=width // HEAD_DIM, max_position_embeddings=number(settings, "ctx", 2048, 2),
        bos_token_id=256, eos_token_id=None, tie_word_embeddings=False)
    torch.manual_seed(number(settings, "seed", 1, 0))
    return transformers.AutoModelForCausalLM.from_config(config, dtype=dtype)


class ByteTokenizer:
    """Tokens are bytes; id 256 begins a sequence. For random models."""

    identity, bos, eos = "bytes", 256, None

    def encode(self, text):
        return list(text), list(range(1, len(text) + 1))

    def piece(self, token):
        return bytes([token]) if token < 256 else b""


class FastTokenizer:
    """A tokenizer of the library. Bytes come from offsets of characters when encoding, and when decoding from the
    growth of the decoded text."""

    def __init__(self, tokenizer):
        if not tokenizer.is_fast:
            raise Refused("a slow tokenizer tells no offsets; a fast one is needed", "unsupported")
        self.tokenizer, self.bos = tokenizer, tokenizer.bos_token_id
        self.eos = tokenizer.eos_token_id
        if self.bos is None:
            self.bos = tokenizer.eos_token_id
        backend = tokenizer.backend_tokenizer.to_str()
        self.identity = hashlib.sha256(backend.encode()).hexdigest()[:64]

    def encode(self, raw):
        text = raw.decode("utf-8")  # an item that is no UTF-8 is refused, not changed
        told = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        starts = [0]
        for character in text:
            starts.append(starts[-1] + len(character.encode()))
        ends = [starts[end] for _, end in told["offset_mapping"]]
        for i in range(1, len(ends)):  # parts of one character, and what the library leaves out
            ends[i] = max(ends[i], ends[i - 1])
        if ends:
            ends[-1] = len(raw)
        return told["input_ids"], ends

    def text(self, tokens):
        return self.tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)


class Text:
    """What each new token adds to the text, in whole characters."""

    def __init__(self, tokenizer):
        self.tokenizer, self.tokens, self.sent = tokenizer, [], 0

    def add(self, token):
        if isinstance(self.tokenizer, ByteTokenizer):
            return self.tokenizer.piece(token)
        self.tokens.append(token)
        text = self.tokenizer.text(self.tokens)
        if text.endswith("\N{REPLACEMENT CHARACTER}"):  # a character that is not complete yet
            return b""
        new = text[self.sent:]
        self.sent = len(text)
        return new.encode()


class TransformersModel(tare_worker.Model):
    capabilities = ("score", "generate", "logits", "tokenize", "sampled")

    def __init__(self):
        import transformers
        transformers.utils.logging.disable_progress_bar()
        self.library = transformers
        self.name = "transformers_worker, Transformers"
        self.version = f"{transformers.__version__}, PyTorch {torch.__version__}"

    def load(self, path, technique, settings):
        tare_worker.refuse_unknown(settings, SETTINGS)
        self.dtype_name = settings.get("dtype", "float32")
        if self.dtype_name not in DTYPES:
            raise Refused(f"setting dtype: one of {', '.join(DTYPES)}", "usage")
        if not flag(settings, "online", "no"):
            os.environ["HF_HUB_OFFLINE"] = "1"
        torch.set_num_threads(number(settings, "threads", 1, 1))
        self.device = torch.device(settings.get("device", "cpu"))
        self.as_logits = flag(settings, "logits", "no")
        # In half precision a pass over fewer rows rounds otherwise: what an item scores would depend on the one before.
        self.reuse = flag(settings, "reuse_prefix", "yes" if self.dtype_name == "float32" else "no")
        self.take_model(path, settings)
        self.take_adapter(settings)
        self.model.eval()
        self.compiled = flag(settings, "compile", "no")
        self.run = torch.compile(self.model) if self.compiled else self.model
        self.fed, self.cache = [], None
        self.flops_tok, self.flops = number(settings, "flops", 0, 0), None
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return self.effective(settings)

    def take_model(self, path, settings):
        dtype, kind = DTYPES[self.dtype_name], settings.get("quantization", "none")
        if "random" in settings:
            if kind != "none":
                raise Refused("quantization needs a model with files", "unsupported")
            self.model_name, self.tokenizer = f"random {settings['random']}", ByteTokenizer()
            with self.device:
                self.model = random_model(self.library, settings["random"], settings, dtype)
            return
        self.model_name = settings.get("model", path)
        if not self.model_name:
            raise Refused("no model: give a path, model=NAME or random=LAYERSxWIDTH", "usage")
        trust = flag(settings, "trust_code", "no")
        more = {"quantization_config": self.quantization(kind, dtype), "device_map": {"": str(self.device)}} \
            if kind != "none" else {}
        if "attention" in settings:
            more["attn_implementation"] = settings["attention"]
        self.model = self.library.AutoModelForCausalLM.from_pretrained(
            self.model_name, dtype=dtype, trust_remote_code=trust, **more)
        if kind == "none":
            self.model = self.model.to(self.device)
        self.tokenizer = FastTokenizer(self.library.AutoTokenizer.from_pretrained(
            settings.get("tokenizer", self.model_name), trust_remote_code=trust))

    def quantization(self, kind, dtype):
        if kind not in ("int8", "int4"):
            raise Refused(f"setting quantization: {kind!r} is none of none, int8, int4", "usage")
        return self.library.BitsAndBytesConfig(load_in_8bit=kind == "int8", load_in_4bit=kind == "int4",
                                               bnb_4bit_compute_dtype=dtype)

    def take_adapter(self, settings):
        self.adapter = settings.get("adapter", "")
        if self.adapter:
            try:
                import peft
            except ImportError as error:
                raise Refused("setting adapter: PEFT is not installed", "unsupported") from error
            self.model = peft.PeftModel.from_pretrained(self.model, self.adapter)

    def effective(self, settings):
        config = self.model.config
        return {"device": self.device, "dtype": self.dtype_name, "threads": torch.get_num_threads(),
                "attention": getattr(config, "_attn_implementation", "?"),
                "quantization": settings.get("quantization", "none"), "adapter": self.adapter or "none",
                "reuse_prefix": "yes" if self.reuse else "no", "logits": "yes" if self.as_logits else "no",
                "compile": "yes" if self.compiled else "no", "tf32": torch.backends.cuda.matmul.allow_tf32,
                **({"gpu": torch.cuda.get_device_name(), "cuda": torch.version.cuda} if self.device.type == "cuda" else {})}

    def describe(self):
        config, parameters = self.model.config, list(self.model.parameters())
        embedding = self.model.get_input_embeddings().weight
        head = self.model.get_output_embeddings()
        apart = embedding.numel() + (head.weight.numel() if head is not None and head.weight is not embedding else 0)
        plain = all(p.dtype in DTYPES.values() for p in parameters)
        total = sum(p.numel() for p in parameters) if plain else None  # packed ones hold several in one number
        heads = getattr(config, "num_key_value_heads", None) or getattr(config, "num_attention_heads", None)
        layers, width = getattr(config, "num_hidden_layers", None), getattr(config, "head_dim", None)
        if width is None and heads and getattr(config, "hidden_size", None):
            width = config.hidden_size // config.num_attention_heads
        item = torch.finfo(DTYPES[self.dtype_name]).bits // 8
        experts = any("expert" in key for key in config.to_dict())
        return {"arch": config.model_type[:31], "name": os.path.basename(str(self.model_name).rstrip("/"))[:63],
                "dtype": self.dtype_name, "tokenizer": self.tokenizer.identity, "params_total": total,
                "params_active": None if experts else total,
                "params_non_embedding": total - apart if plain else None,
                "params_non_zero": sum(int(torch.count_nonzero(p)) for p in parameters) if plain else None,
                "params_trainable": sum(p.numel() for p in parameters if p.requires_grad) if self.adapter else None,
                "stored_bytes": sum(p.numel() * p.element_size() for p in parameters),
                "kv_bytes_per_token": 2 * layers * heads * width * item if layers and heads and width else None,
                "n_ctx": getattr(config, "max_position_embeddings", None), "n_vocab": config.vocab_size,
                "bos": self.tokenizer.bos}

    def tokenize(self, text):
        return self.tokenizer.encode(text)

    def feed(self, tokens, last, own=False):
        """Logits, float32, behind the last so many tokens. The cache keeps what they share with the pass before: of
        the same request (own), or of another if reuse_prefix allows it."""
        kept, most = 0, len(tokens) - last if self.reuse or own else 0
        while self.cache is not None and kept < most and kept < len(self.fed) and self.fed[kept] == tokens[kept]:
            kept += 1
        if kept and kept < len(self.fed):
            try:
                self.cache.crop(kept - len(self.fed))
            except (AttributeError, NotImplementedError, ValueError):  # a state that cannot be cut back
                kept = 0
        cache, self.cache, self.fed = self.cache if kept else None, None, []  # nothing is sure if this fails
        ids = torch.tensor([tokens[kept:]], device=self.device, dtype=torch.long)
        out = self.run(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=last)
        if out.logits.shape[1] < last:
            raise Refused("the model gave fewer logits than were asked for")
        self.cache, self.fed = out.past_key_values, list(tokens)
        return out.logits[0, -last:].float()

    @torch.inference_mode()
    def score(self, tokens, first, shared_prefix):
        tokens = list(tokens)
        rows = self.feed(tokens[:-1], len(tokens) - first)
        if self.as_logits:
            return self.blobs(rows)
        targets = torch.tensor(tokens[first:], device=self.device)
        taken = torch.log_softmax(rows.double(), dim=-1).gather(1, targets[:, None])[:, 0]
        return taken.tolist(), (rows.argmax(-1) == targets).tolist()

    @torch.inference_mode()
    def logits(self, tokens, first):
        return self.blobs(self.feed(list(tokens), len(tokens) - first + 1))

    def blobs(self, rows):
        flat = rows.cpu().contiguous()
        yield flat.shape[0], ctypes.string_at(flat.data_ptr(), flat.numel() * 4)

    @torch.inference_mode()
    def generate(self, tokens, max_output, temperature, seed, answer):
        """One step a token, not the library's generate(): each is stamped as soon as the device has given it."""
        tokens, text = list(tokens), Text(self.tokenizer)
        rng = torch.Generator().manual_seed(seed % 2**63)
        limit = getattr(self.model.config, "max_position_embeddings", None) or len(tokens) + max_output
        for i in range(max_output):
            if len(tokens) > limit:
                return "length"
            row = self.feed(tokens, 1, own=i > 0)[0]
            if temperature <= 0:
                token = int(row.argmax())
            else:
                token = int(torch.multinomial(torch.softmax(row.double().cpu() / temperature, -1), 1, generator=rng))
            at_ns = tare_worker.now_ns()
            if self.tokenizer.eos is not None and token == self.tokenizer.eos:
                return "eos"
            if answer.token(token, text.add(token), at_ns):
                return "cancel"
            tokens.append(token)
        return "length"

    def count_flops(self):
        """FLOPs of one pass, counted operator by operator, outside of everything that is timed."""
        reading = {"name": "forward_flops_counted", "unit": "FLOP", "scope": "model", "kind": "counted",
                   "source": f"torch.utils.flop_counter over one pass of {self.flops_tok} tokens"}
        try:
            from torch.utils.flop_counter import FlopCounterMode
        except ImportError:
            return {**reading, "why": "this PyTorch has no flop counter"}
        ids = torch.zeros((1, self.flops_tok), device=self.device, dtype=torch.long)
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            self.model(input_ids=ids, use_cache=False)
        return {**reading, "value": counter.get_total_flops()}

    def readings(self, measured):
        found = []
        if self.device.type == "cuda":
            for name, get in (("allocated", torch.cuda.max_memory_allocated), ("reserved", torch.cuda.max_memory_reserved)):
                found.append({"name": f"torch_peak_{name}" + ("" if measured else "_load"), "unit": "B", "scope": "device",
                              "kind": "reported", "source": f"torch.cuda.max_memory_{name}", "value": get()})
        if self.flops_tok and not measured:
            found.append(self.count_flops())
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        return found


if __name__ == "__main__":
    tare_worker.serve(TransformersModel())
