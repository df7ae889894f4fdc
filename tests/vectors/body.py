"""What schemes share that sign the body alone, or the body and what is configured: one signature in one header."""

import base64
import hashlib
import hmac
import json

from rows import as_bytes, bad_hex, compact, flip, reordered


def other_order(value):
    """As `reordered`, for the objects of an array as well."""
    return [reordered(item) for item in value] if isinstance(value, list) else reordered(value)


def bad_base64(good):
    """What no strict reader of base64 may take for the bytes of `good`, or for as many."""
    raw = base64.b64decode(good)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    at = len(good.rstrip("=")) - 1
    yield "no padding", good.rstrip("=")
    yield "padding once too often", good + "="
    yield "bits behind the last byte", good[:at] + letters[letters.index(good[at]) ^ 1] + good[at + 1 :]
    yield "a byte too few", base64.b64encode(raw[:-1]).decode()
    yield "a byte too many", base64.b64encode(raw + b"\0").decode()
    yield "twice", base64.b64encode(raw + raw).decode()
    yield "half", base64.b64encode(raw[: len(raw) // 2]).decode()
    yield "cut off", good[:-4]
    yield "a stray character", "!" + good[1:]
    yield "a blank before it", " " + good
    yield "a blank after it", good + " "
    yield "a blank in the middle", good[:20] + " " + good[20:]
    yield "in quotes", f'"{good}"'
    yield "full-width letters", "Ａ" * len(good)
    yield "hexadecimal in place of base64", raw.hex()
    yield "the base64 of the hexadecimal", base64.b64encode(raw.hex().encode()).decode()
    yield "a NUL after it", good + "\0"


ALGORITHMS = {"HMAC-SHA1": hashlib.sha1, "HMAC-SHA256": hashlib.sha256, "HMAC-SHA512": hashlib.sha512}


class Body:
    """What every scheme must do that signs the body alone, or the body and what is configured, by an HMAC in one header.

    `key` makes the HMAC's key of a secret, `content` what is signed of a body; `fields` stand in every row.
    """

    def __init__(self, rows, header, prefix="", algorithm="HMAC-SHA256", encoding="hex", others=(), key=as_bytes, content=as_bytes, secrets=None, **fields):
        self.rows, self.header, self.prefix, self.algorithm, self.encoding = rows, header, prefix, algorithm, encoding
        self.others, self.key, self.content, self.fields = list(others), key, content, fields
        self.secrets = secrets or [f"secret {i}" for i in range(7)]
        self.good = self.sign(rows.body)

    def encode(self, raw):
        return raw.hex() if self.encoding == "hex" else base64.b64encode(raw).decode()

    def sign(self, body, key=None, algorithm=None):
        key = self.key(self.rows.secret) if key is None else key
        return self.encode(hmac.new(key, self.content(body), ALGORITHMS[algorithm or self.algorithm]).digest())

    def wrong(self):
        """As long as the genuine signature, and another in its first byte."""
        raw = bytes.fromhex(self.good) if self.encoding == "hex" else base64.b64decode(self.good)
        return self.encode(bytes([raw[0] ^ 1]) + raw[1:])

    def add(self, name, value, expect="valid", **fields):
        """A row with this value in the header; a list stands for the header as often."""
        values = value if isinstance(value, list) else [value]
        pairs = [*self.others, *([self.header, one] for one in values)]
        headers = dict(pairs) if len(values) == 1 else [list(pair) for pair in pairs]
        self.rows.add(name, headers, expect, **{**self.fields, **fields})

    def signed(self, name, body, expect="valid", **fields):
        self.add(name, self.prefix + self.sign(body), expect, body=body, **fields)

    def around(self):
        self.the_header()
        self.the_secret()
        self.the_body()
        self.the_signature()

    def the_header(self):
        rows, header, good, wrong = self.rows, self.header, self.prefix + self.good, self.prefix + self.wrong()
        others = dict(self.others)
        self.add("genuine", good)
        rows.add("the header's name in capitals", {k.upper(): v for k, v in {**others, header: good}.items()}, **self.fields)
        rows.add("the header's name in lower case", {k.lower(): v for k, v in {**others, header: good}.items()}, **self.fields)
        self.add("the header twice, with one value", [good, good])
        self.add("the header twice, the genuine value first", [good, wrong], "repeated_header")
        self.add("the header twice, the genuine value last", [wrong, good], "repeated_header")
        self.add("the header twice, once empty", [good, ""], "repeated_header")
        rows.add("no signature header", others, "missing_header", **self.fields)
        rows.add("no header at all", {}, "missing_header", **self.fields)
        rows.add("a header of a longer name", {**others, header + "-2": good}, "missing_header", **self.fields)
        rows.add("a header of a shorter name", {**others, header[:-1]: good}, "missing_header", **self.fields)
        rows.add("the signature in the header of a token", {**others, "Authorization": good}, "missing_header", **self.fields)
        self.add("an empty header", "", "malformed_header")
        self.add("a header of one blank", " ", "malformed_header")
        self.add("two signatures in a list", f"{wrong},{good}", "malformed_header")
        if self.prefix:
            algorithm = self.prefix.rstrip("=")
            self.add("malformed: no prefix", self.good, "malformed_header")
            self.add("malformed: the prefix alone", self.prefix, "malformed_header")
            self.add("malformed: the prefix twice", self.prefix + good, "malformed_header")
            self.add("malformed: the prefix in capitals", good.replace(self.prefix, self.prefix.upper(), 1), "malformed_header")
            self.add("malformed: a blank behind the prefix", f"{self.prefix} {self.good}", "malformed_header")
            self.add("malformed: a blank before the prefix", " " + good, "malformed_header")
            self.add("malformed: a colon in the prefix", f"{algorithm}:{self.good}", "malformed_header")
            other = "sha1=" if self.prefix != "sha1=" else "sha256="
            self.add("malformed: the prefix of another algorithm", other + self.good, "malformed_header")
        else:
            self.add("malformed: a prefix", "sha256=" + self.good, "malformed_header")

    def the_secret(self):
        good, key, secret = self.prefix + self.good, self.key(self.rows.secret), self.rows.secret
        by = lambda key: self.prefix + self.sign(self.rows.body, key)
        self.add("another secret", by(b"another secret"), "signature")
        self.add("the secret and a byte more", by(key + b"x"), "signature")
        self.add("the secret without its last byte", by(key[:-1]), "signature")
        self.add("the secret with a line end", by(key + b"\n"), "signature")
        self.add("an empty secret", by(b""), "signature")
        if self.key is as_bytes:
            self.add("the secret in other case", by(as_bytes(secret.swapcase())), "signature")
        self.add("two live secrets, signed with the first", good, secrets=[secret, self.secrets[0]])
        self.add("two live secrets, signed with the second", good, secrets=[self.secrets[0], secret])
        self.add("eight live secrets, signed with the last", good, secrets=[*self.secrets, secret])
        self.add("two live secrets, signed with neither", good, "signature", secrets=self.secrets[:2])

    def the_body(self):
        body, good = self.rows.body, self.prefix + self.good
        rewritten = "re-serialised: the bytes on the wire are what is signed"
        self.add("one changed bit in the body", good, "signature", body=flip(body))
        self.add("a byte more in the body", good, "signature", body=body + "\n")
        self.add("a byte more before the body", good, "signature", body=" " + body)
        self.add("a byte less in the body", good, "signature", body=body[:-1])
        self.add("no body", good, "signature", body="")
        self.add("a body with its blanks changed", good, "signature", body=json.dumps(json.loads(body), indent=1), note=rewritten)
        self.add("a body with its keys in another order", good, "signature", body=compact(other_order(json.loads(body))), note=rewritten)
        self.signed("an empty body, signed", "", note="genuine; it has no event")
        self.signed("a body that is no JSON, signed", "a=b&c=d", note="genuine; it has no event")
        self.signed("a body that is not UTF-8", b'{"text":"\xff\xfe\x00\x80"}')
        self.signed("a body beyond ASCII", '{"text":"\u00e9, \U0001f980"}')
        self.signed("a body of NULs", b"\0" * 64, note="genuine; it has no event")

    def the_signature(self):
        good, secret, body = self.good, self.rows.secret, self.rows.body
        size = ALGORITHMS[self.algorithm]().digest_size
        for name in sorted(ALGORITHMS.keys() - {self.algorithm}):
            self.add(f"another algorithm: {name}", self.prefix + self.sign(body, algorithm=name), "malformed_header")
        bare = ALGORITHMS[self.algorithm](self.content(body)).digest()
        self.add("the digest of the body without a key", self.prefix + self.encode(bare), "signature")
        bare = ALGORITHMS[self.algorithm](self.key(secret) + self.content(body)).digest()
        self.add("the digest of the secret and the body", self.prefix + self.encode(bare), "signature")
        self.add("a signature of zeros", self.prefix + self.encode(bytes(size)), "signature")
        raw = bytes.fromhex(good) if self.encoding == "hex" else base64.b64decode(good)
        for at in (0, size // 2, size - 1):
            changed = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
            self.add(f"one changed bit in byte {at} of the signature", self.prefix + self.encode(changed), "signature")
        self.add("the bytes of the signature in the opposite order", self.prefix + self.encode(raw[::-1]), "signature")
        if self.encoding == "hex":
            self.add("upper-case hexadecimal", self.prefix + good.upper())
            self.add("mixed-case hexadecimal", self.prefix + good[:20].upper() + good[20:])
            self.add("the header twice, in different case of digits", [self.prefix + good, self.prefix + good.upper()], "repeated_header")
            malformed = bad_hex(good)
        else:
            longer = next(body + " " * blanks for blanks in range(64) if set("+/") & set(self.sign(body + " " * blanks)))
            text = self.sign(longer).replace("+", "-").replace("/", "_")
            self.add("malformed: base64 for URLs", self.prefix + text, "malformed_header", body=longer)
            malformed = bad_base64(good)
        for what, text in malformed:
            self.add(f"malformed: {what}", self.prefix + text, "malformed_header")
