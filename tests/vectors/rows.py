"""What the vectors of several providers share: how a row is written, and what each family of schemes must do.

Each vector is an object: name, source, secret (or secrets, or secret_hex), headers (an object, or a list of pairs where
the order or a repetition matters), body (or body_base64), now (unix seconds), expect ("valid", or the class of the
error), and sometimes note, kind (configured for the endpoint) or require_timestamp.
"""

import base64
import hashlib
import hmac
import json
import pathlib

HERE = pathlib.Path(__file__).parent
OURS = "computed with Python's hmac"
NOW = 1705314600  # 2024-01-15T10:30:00Z
MANY = "," * 10_000


def sign(secret, content, digest=hashlib.sha256):
    return hmac.new(as_bytes(secret), as_bytes(content), digest).hexdigest()


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def timed(secret, timestamp, body):
    return sign(secret, as_bytes(f"{timestamp}.") + as_bytes(body))


def flip(text):
    """One bit changed, in the middle, staying in ASCII."""
    middle = len(text) // 2
    return text[:middle] + chr(ord(text[middle]) ^ 1) + text[middle + 1 :]


def flip_hex(text, at=0):
    return text[:at] + f"{int(text[at], 16) ^ 1:x}" + text[at + 1 :]


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def reordered(value):
    """The same value, with the keys of every object in the opposite order."""
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(value)}
    return value


class Vectors(list):
    """The rows of one file, with what most of them share."""

    def __init__(self, secret, body, now=NOW):
        super().__init__()
        self.secret, self.body, self.now = secret, body, now

    def add(self, name, headers, expect="valid", source=OURS, **fields):
        row = {"name": name, "source": source}
        if not fields.keys() & {"secrets", "secret_hex"}:
            row["secret"] = fields.pop("secret", self.secret)
        body = fields.pop("body", self.body)
        row |= {"headers": headers}
        if isinstance(body, bytes):
            row["body_base64"] = base64.b64encode(body).decode()
        else:
            row["body"] = body
        row |= {"now": fields.pop("now", self.now), **fields, "expect": expect}
        self.append(row)

    def write(self, name):
        names = [row["name"] for row in self]
        assert len(names) == len(set(names)), f"{name}: two rows of one name"
        lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in self)
        (HERE / f"{name}.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def bad_hex(good):
    """What no reader of hexadecimal may take for 32 bytes."""
    yield "an odd number of digits", good[:-1]
    yield "a byte too few", good[:-2]
    yield "a byte too many", good + "00"
    yield "a digit too many", good + "0"
    yield "twice", good + good
    yield "half", good[:32]
    yield "a stray character", good[:-1] + "g"
    yield "a blank before it", " " + good
    yield "a blank after it", good + " "
    yield "a blank in place of a digit", good[:-1] + " "
    yield "the mark 0x", "0x" + good[2:]
    yield "characters of several bytes", "é" * 32
    yield "a character of several bytes, of the right length in bytes", good[:-2] + "é"
    yield "a character of several bytes, of the right length in characters", good[:-1] + "é"
    yield "full-width digits", "０" * 64
    yield "base64 in place of hexadecimal", base64.b64encode(bytes.fromhex(good)).decode()
    yield "a NUL after it", good + "\0"


def around_a_signature(rows, header, prefix, content, others=()):
    """What every scheme must do that sends one signature in a header; `content` makes what is signed of a body."""
    secret, body = rows.secret, rows.body
    good = sign(secret, content(body))
    pairs = lambda value: {**dict(others), header: prefix + value}
    rows.add("genuine", pairs(good))
    rows.add("upper-case hexadecimal", pairs(good.upper()))
    rows.add("mixed-case hexadecimal", pairs(good[:32].upper() + good[32:]))
    rows.add("the header's name in capitals", {k.upper(): v for k, v in pairs(good).items()})
    rows.add("the header's name in lower case", {k.lower(): v for k, v in pairs(good).items()})
    rows.add("the header twice, with one value", [*others, [header, prefix + good], [header.lower(), prefix + good]])
    rows.add("the header twice, the genuine value first", [*others, [header, prefix + good], [header, prefix + flip_hex(good)]], "repeated_header")
    rows.add("the header twice, the genuine value last", [*others, [header, prefix + flip_hex(good)], [header.upper(), prefix + good]], "repeated_header")
    rows.add("the header twice, in different case of digits", [*others, [header, prefix + good], [header, prefix + good.upper()]], "repeated_header")
    rows.add("no signature header", dict(others), "missing_header")
    rows.add("no header at all", {}, "missing_header")
    rows.add("a header of a longer name", {**dict(others), header + "-2": prefix + good}, "missing_header")
    rows.add("a header of a shorter name", {**dict(others), header[:-1]: prefix + good}, "missing_header")
    rows.add("an empty header", {**dict(others), header: ""}, "malformed_header")
    rows.add("another secret", pairs(sign(secret + "x", content(body))), "signature")
    rows.add("the secret without its last character", pairs(sign(secret[:-1], content(body))), "signature")
    rows.add("the secret with a line end", pairs(sign(secret + "\n", content(body))), "signature")
    rows.add("the secret in other case", pairs(sign(secret.swapcase(), content(body))), "signature")
    rows.add("one changed bit in the body", pairs(good), "signature", body=flip(body))
    rows.add("a byte more in the body", pairs(good), "signature", body=body + "\n")
    rows.add("a byte less in the body", pairs(good), "signature", body=body[:-1])
    rows.add("no body", pairs(good), "signature", body="")
    rows.add("a body with its blanks changed", pairs(good), "signature", body=json.dumps(json.loads(body)), note="re-serialised: the bytes on the wire are what is signed")
    rows.add("a body with its keys in another order", pairs(good), "signature", body=compact(reordered(json.loads(body))), note="re-serialised: the bytes on the wire are what is signed")
    for digit in (0, 31, 32, 63):
        rows.add(f"one changed bit in digit {digit} of the signature", pairs(flip_hex(good, digit)), "signature")
    rows.add("zeros for a signature", pairs("0" * 64), "signature")
    rows.add("SHA-256 of the body without a key", pairs(hashlib.sha256(as_bytes(content(body))).hexdigest()), "signature")
    rows.add("HMAC-SHA1", pairs(sign(secret, content(body), hashlib.sha1)), "malformed_header")
    rows.add("HMAC-SHA512", pairs(sign(secret, content(body), hashlib.sha512)), "malformed_header")
    rows.add("two live secrets, signed with the first", pairs(good), secrets=[secret, "the other secret"])
    rows.add("two live secrets, signed with the second", pairs(good), secrets=["the other secret", secret])
    rows.add("eight live secrets, signed with the last", pairs(good), secrets=[f"secret {i}" for i in range(7)] + [secret])
    rows.add("two live secrets, signed with neither", pairs(good), "signature", secrets=["one", "the other"])
    for what, text in bad_hex(good):
        rows.add(f"malformed: {what}", pairs(text), "malformed_header")
    unreadable = b'{"text":"\xff\xfe\x00\x80"}'
    rows.add("a body that is not UTF-8", pairs(sign(secret, content(unreadable))), body=unreadable)
    accented = '{"text":"\u00e9, \U0001f980"}'
    rows.add("a body beyond ASCII", pairs(sign(secret, content(accented))), body=accented)


def around_a_timestamp(rows, tolerance, headers):
    """What every scheme must do that signs a timestamp; `headers` makes them of a timestamp's text."""
    now = rows.now
    for name, timestamp, expect in [
        ("exactly as old as the tolerance", now - tolerance, "valid"),
        ("one second older than the tolerance", now - tolerance - 1, "timestamp"),
        ("exactly as far ahead as the tolerance", now + tolerance, "valid"),
        ("one second further ahead than the tolerance", now + tolerance + 1, "timestamp"),
        ("the largest 64-bit timestamp", 2**63 - 1, "timestamp"),
        ("the smallest 64-bit timestamp", -(2**63), "timestamp"),
        ("the epoch", 0, "timestamp"),
        ("a timestamp before the epoch", -1, "timestamp"),
        ("milliseconds in place of seconds", now * 1000, "timestamp"),
        ("a timestamp beyond 64 bits", 2**63, "malformed_header"),
        ("a timestamp far beyond 64 bits", 10**40, "malformed_header"),
        ("a timestamp that is no number", "now", "malformed_header"),
        ("an empty timestamp", "", "malformed_header"),
        ("a timestamp with a plus sign", f"+{now}", "malformed_header"),
        ("a timestamp with decimals", f"{now}.0", "malformed_header"),
        ("a timestamp with an exponent", "1e9", "malformed_header"),
        ("a timestamp of full-width digits", "１７０５３１４６００", "malformed_header"),
        ("a timestamp of ISO 8601", "2024-01-15T10:30:00Z", "malformed_header"),
        ("a timestamp with a NUL", f"{now}\0", "malformed_header"),
        ("a timestamp with leading zeros, signed so", f"00{now}", "valid"),
    ]:
        rows.add(name, headers(timestamp), expect)


def around_a_list(rows, header, tolerance, content):
    """What a `t=..,v1=..` header must do; `content` makes what is signed of a timestamp and a body."""
    secret, body, now = rows.secret, rows.body, rows.now
    v1 = lambda timestamp=now, secret=secret, body=body: sign(secret, content(timestamp, body))
    good, wrong = v1(), flip_hex(v1())
    for name, value, expect in [
        ("list: the signature before the timestamp", f"v1={good},t={now}", "valid"),
        ("list: three signatures, the third genuine", f"t={now},v1={wrong},v1={'0' * 64},v1={good}", "valid"),
        ("list: three signatures, the second genuine", f"t={now},v1={wrong},v1={good},v1={wrong}", "valid"),
        ("list: a malformed signature before the genuine one", f"t={now},v1=zz,v1={good}", "valid"),
        ("list: an empty signature before the genuine one", f"t={now},v1=,v1={good}", "valid"),
        ("list: unknown entries", f"x,t={now},v2={wrong},v0={wrong},=,a=b=c,,v1={good},é=é", "valid"),
        ("list: one timestamp twice", f"t={now},t={now},v1={good}", "valid"),
        ("list: ten thousand empty entries behind", f"t={now},v1={good}{MANY}", "valid"),
        ("list: ten thousand empty entries before", f"{MANY}t={now},v1={good}", "malformed_header"),
        ("list: ten thousand empty entries between", f"t={now}{MANY}v1={good}", "malformed_header"),
        ("list: a thousand malformed signatures before the genuine one", f"t={now}{',v1=00' * 1_000},v1={good}", "malformed_header"),
        ("list: no signature of the list is genuine", f"t={now},v1={wrong},v1={'f' * 64}", "signature"),
        ("list: only a signature of an unknown version", f"t={now},v2={good}", "malformed_header"),
        ("list: only a signature of an older version", f"t={now},v0={good}", "malformed_header"),
        ("list: the version in capitals", f"t={now},V1={good}", "malformed_header"),
        ("list: the version alone", f"t={now},v1", "malformed_header"),
        ("list: the timestamp alone", f"t={now}", "malformed_header"),
        ("list: the signature alone", f"v1={good}", "malformed_header"),
        ("list: two different timestamps, the genuine one first", f"t={now},t={now + 1},v1={good}", "malformed_header"),
        ("list: two different timestamps, the genuine one last", f"t={now + 1},t={now},v1={good}", "malformed_header"),
        ("list: one timestamp in two spellings", f"t={now},t=0{now},v1={good}", "malformed_header"),
        ("list: another timestamp than was signed", f"t={now + 1},v1={good}", "signature"),
        ("list: the same timestamp in another spelling", f"t=0{now},v1={good}", "signature"),
        ("list: semicolons in place of commas", f"t={now};v1={good}", "malformed_header"),
        ("list: a blank behind the comma", f"t={now}, v1={good}", "malformed_header"),
        ("list: the signature in quotes", f't={now},v1="{good}"', "malformed_header"),
        ("list: the bare signature", good, "malformed_header"),
        ("list: the fields of two deliveries", f"t={now},v1={v1(now - 1)}", "signature"),
    ]:
        rows.add(name, {header: value}, expect)
    rows.add("list: the timestamp's digits moved into the body", {header: f"t={str(now)[:-1]},v1={good}"}, "timestamp", body=str(now)[-1] + "." + body)
    rows.add("list: two headers that would be one list", [[header, f"t={now}"], [header, f"v1={good}"]], "repeated_header")
    around_a_timestamp(rows, tolerance, lambda t: {header: f"t={t},v1={v1(t)}"})
