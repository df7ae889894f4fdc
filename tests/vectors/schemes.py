"""The schemes that sign a timestamp, as Python sees them, and what each family of them must do."""

import base64
import hashlib
import json

from rows import NOW, as_bytes, compact, flip, flip_hex, reordered, sign

RFC3339 = "2024-01-15T10:30:00Z"
ASYMMETRIC = "computed with Python's cryptography"
BODIES = [("a body that is not UTF-8", b'{"text":"\xff\xfe\x00\x80"}', "valid"), ("a body beyond ASCII", '{"text":"\u00e9, \U0001f980"}', "valid"), ("an empty body, signed", "", "valid")]


def base64_of(raw):
    return base64.b64encode(raw).decode()


def turned(value):
    return [reordered(item) for item in value] if isinstance(value, list) else reordered(value)


def joined(*parts):
    return b"".join(as_bytes(str(part) if isinstance(part, int) else part) for part in parts)


class Scheme:
    """One provider's scheme: its headers, and what each signs.

    `content` makes what is signed of a body and a timestamp's text; `wrap` a header's value of a signature and that text.
    """

    blanks_separate = False

    def __init__(self, rows, header, content, timestamp, wrap=lambda text, _: text, beside=lambda _: {}, encoding="hex", key=as_bytes):
        self.rows, self.header, self.content, self.timestamp = rows, header, content, timestamp
        self.wrap, self.beside, self.encoding, self.key = wrap, beside, encoding, key

    def signature(self, body=None, timestamp=None, secret=None, digest=hashlib.sha256):
        content = self.content(self.rows.body if body is None else body, str(self.timestamp if timestamp is None else timestamp))
        text = sign(self.key(self.rows.secret if secret is None else secret), content, digest)
        return text if self.encoding == "hex" else base64_of(bytes.fromhex(text))

    def with_text(self, text, timestamp=None):
        stamp = str(self.timestamp if timestamp is None else timestamp)
        return {**self.beside(stamp), self.header: self.wrap(text, stamp)}

    def headers(self, body=None, timestamp=None, secret=None, digest=hashlib.sha256):
        return self.with_text(self.signature(body, timestamp, secret, digest), timestamp)

    def twice(self, first, second):
        """The headers, the one with the signature twice."""
        beside = list(self.beside(str(self.timestamp)).items())
        return [*beside, [self.header, self.wrap(first, str(self.timestamp))], [self.header.lower(), self.wrap(second, str(self.timestamp))]]

    def bad_texts(self):
        """What no reader of this encoding may take for 32 bytes."""
        good = self.signature()
        raw = bytes.fromhex(good) if self.encoding == "hex" else base64.b64decode(good)
        encode = bytes.hex if self.encoding == "hex" else base64_of
        yield "a byte too few", encode(raw[:-1])
        yield "a byte too many", encode(raw + b"\0")
        yield "twice", good + good
        yield "a blank before it", " " + good
        if not self.blanks_separate:
            yield "a blank after it", good + " "
        yield "a character of several bytes", good[:-2] + "é"
        if self.encoding == "hex":
            yield "an odd number of digits", good[:-1]
            yield "the mark 0x", "0x" + good[2:]
            yield "base64 in place of hexadecimal", base64_of(raw)
        else:
            yield "base64 without its padding", good.rstrip("=")
            yield "base64 with padding to spare", good + "="
            yield "base64 with bits to spare", good[:-2] + chr(ord(good[-2]) + 1) + "="
            yield "base64 with a line end", good + "\n"
            yield "hexadecimal in place of base64", raw.hex()

    def essentials(self, others=("another secret", "a third secret"), bodies=BODIES):
        """What every scheme of an HMAC must do; `others` are secrets that did not sign, `bodies` are rows of signed bodies."""
        rows, secret, body, good = self.rows, self.rows.secret, self.rows.body, self.signature()
        other, third = others
        wrong = self.signature(secret=other)
        genuine = self.with_text(good)
        rows.add("genuine", genuine)
        rows.add("the headers' names in capitals", {name.upper(): value for name, value in genuine.items()})
        rows.add("the headers' names in lower case", {name.lower(): value for name, value in genuine.items()})
        rows.add("the header twice, with one value", self.twice(good, good))
        rows.add("the header twice, the genuine value first", self.twice(good, wrong), "repeated_header")
        rows.add("the header twice, the genuine value last", self.twice(wrong, good), "repeated_header")
        rows.add("no signature header", self.beside(str(self.timestamp)), "missing_header")
        rows.add("no header at all", {}, "missing_header")
        rows.add("an empty header", {**genuine, self.header: ""}, "malformed_header")
        rows.add("another secret", self.headers(secret=other), "signature")
        rows.add("two live secrets, signed with the first", genuine, secrets=[secret, other])
        rows.add("two live secrets, signed with the second", genuine, secrets=[other, secret])
        rows.add("two live secrets, signed with neither", genuine, "signature", secrets=[other, third])
        rows.add("one changed bit in the body", genuine, "signature", body=flip(body))
        rows.add("a byte more in the body", genuine, "signature", body=body + "\n")
        rows.add("a byte less in the body", genuine, "signature", body=body[:-1])
        rows.add("no body", genuine, "signature", body="")
        rows.add("a body with its blanks changed", genuine, "signature", body=json.dumps(json.loads(body), indent=1), note="re-serialised: the bytes on the wire are what is signed")
        rows.add("a body with its keys in another order", genuine, "signature", body=compact(turned(json.loads(body))), note="re-serialised: the bytes on the wire are what is signed")
        rows.add("one changed bit in the signature", self.with_text(self.flipped(good)), "signature")
        if self.plain(body) != good:
            rows.add("the body signed alone", self.with_text(self.plain(body)), "signature", note="the timestamp is signed with it")
        rows.add("SHA-256 without a key", self.with_text(self.encoded(hashlib.sha256(joined(self.content(body, str(self.timestamp)))).digest())), "signature")
        rows.add("HMAC-SHA1", self.headers(digest=hashlib.sha1), "malformed_header")
        rows.add("HMAC-SHA512", self.headers(digest=hashlib.sha512), "malformed_header")
        if self.encoding == "hex":
            rows.add("upper-case hexadecimal", self.with_text(good.upper()))
            rows.add("mixed-case hexadecimal", self.with_text(good[:32].upper() + good[32:]))
        for what, text in self.bad_texts():
            rows.add(f"malformed: {what}", self.with_text(text), "malformed_header")
        for name, other_body, expect in bodies:
            rows.add(name, self.headers(other_body), expect, body=other_body)

    def plain(self, body):
        return self.encoded(bytes.fromhex(sign(self.key(self.rows.secret), body)))

    def encoded(self, raw):
        return raw.hex() if self.encoding == "hex" else base64_of(raw)

    def flipped(self, text):
        return flip_hex(text, 63) if self.encoding == "hex" else base64_of(bytes([base64.b64decode(text)[0] ^ 1]) + base64.b64decode(text)[1:])

    def prefixed(self, prefix, others):
        """What a header with a fixed prefix must do; `others` are prefixes that are refused."""
        good = self.signature()
        for what, text in [("no prefix", good), ("the prefix in capitals", prefix.upper() + good), ("the prefix twice", prefix * 2 + good), ("the prefix alone", prefix), ("a blank behind the prefix", f"{prefix} {good}"), *((f"the prefix {other}", other + good) for other in others)]:
            self.rows.add(f"malformed: {what}", {**self.beside(str(self.timestamp)), self.header: text}, "malformed_header")

    def timestamp_header(self, name):
        """What a header with a timestamp must do."""
        genuine = self.headers()
        without = {header: value for header, value in genuine.items() if header != name}
        pairs = [list(pair) for pair in genuine.items()]
        self.rows.add("no timestamp header", without, "missing_header")
        self.rows.add("the timestamp header twice, with one value", [*pairs, [name.lower(), str(self.timestamp)]])
        self.rows.add("the timestamp header twice, with different values", [*pairs, [name.lower(), str(self.timestamp) + "0"]], "repeated_header")

    def timestamps(self, cases):
        """A row a timestamp's text, signed as it stands there."""
        for name, timestamp, expect in cases:
            self.rows.add(name, self.headers(timestamp=timestamp), expect)

    def other_timestamp(self, other):
        self.rows.add("another timestamp than was signed", self.with_text(self.signature(), other), "signature")


def unix_seconds(tolerance, ahead=None):
    """`ahead` is how far ahead a timestamp may be, where that differs from how old it may be."""
    ahead = tolerance if ahead is None else ahead
    return [
        ("exactly as old as the tolerance", NOW - tolerance, "valid"),
        ("one second older than the tolerance", NOW - tolerance - 1, "timestamp"),
        ("exactly as far ahead as the tolerance", NOW + ahead, "valid"),
        ("one second further ahead than the tolerance", NOW + ahead + 1, "timestamp"),
        ("milliseconds in place of seconds", NOW * 1000, "timestamp"),
        ("the largest 64-bit timestamp", 2**63 - 1, "timestamp"),
        ("a timestamp beyond 64 bits", 2**63, "malformed_header"),
        ("a timestamp before the epoch", -1, "timestamp"),
        ("a timestamp that is no number", "hello", "malformed_header"),
        ("an empty timestamp", "", "malformed_header"),
        ("a timestamp with a plus sign", f"+{NOW}", "malformed_header"),
        ("a timestamp with decimals", f"{NOW}.0", "malformed_header"),
        ("a timestamp with a blank", f" {NOW}", "malformed_header"),
        ("a timestamp of RFC 3339", RFC3339, "malformed_header"),
        ("a timestamp with leading zeros, signed so", f"00{NOW}", "valid"),
    ]


def unix_millis(tolerance):
    return [
        ("exactly as old as the tolerance", (NOW - tolerance) * 1000, "valid"),
        ("one millisecond older than the tolerance", (NOW - tolerance) * 1000 - 1, "timestamp"),
        ("exactly as far ahead as the tolerance", (NOW + tolerance) * 1000, "valid"),
        ("one second further ahead than the tolerance", (NOW + tolerance + 1) * 1000, "timestamp"),
        ("seconds in place of milliseconds", NOW, "timestamp"),
        ("the largest 64-bit timestamp", 2**63 - 1, "timestamp"),
        ("a timestamp beyond 64 bits", 2**63, "malformed_header"),
        ("a timestamp before the epoch", -1, "timestamp"),
        ("a timestamp that is no number", "abc", "malformed_header"),
        ("an empty timestamp", "", "malformed_header"),
        ("a timestamp with a plus sign", f"+{NOW}000", "malformed_header"),
        ("a timestamp with decimals", f"{NOW}000.5", "malformed_header"),
        ("a timestamp of RFC 3339", RFC3339, "malformed_header"),
    ]


def rfc3339(tolerance, exact):
    """`exact` are the texts of: as old as the tolerance, a second older, as far ahead, a second further ahead."""
    return [
        ("exactly as old as the tolerance", exact[0], "valid"),
        ("one second older than the tolerance", exact[1], "timestamp"),
        ("exactly as far ahead as the tolerance", exact[2], "valid"),
        ("one second further ahead than the tolerance", exact[3], "timestamp"),
        ("a timestamp with decimals", "2024-01-15T10:30:00.634234626Z", "valid"),
        ("a timestamp with one decimal", "2024-01-15T10:30:00.5Z", "valid"),
        ("a timestamp with an offset", "2024-01-15T12:00:00+01:30", "valid"),
        ("a timestamp with an offset, an hour from now", "2024-01-15T10:30:00+01:00", "timestamp"),
        ("a timestamp with an offset of no time", "2024-01-15T10:30:00+00:00", "valid"),
        ("a timestamp without a zone", "2024-01-15T10:30:00", "malformed_header"),
        ("a timestamp with a lower-case zone", "2024-01-15T10:30:00z", "malformed_header"),
        ("a timestamp with a lower-case T", "2024-01-15t10:30:00Z", "malformed_header"),
        ("a timestamp with a blank for the T", "2024-01-15 10:30:00Z", "malformed_header"),
        ("a timestamp with a point and no decimals", "2024-01-15T10:30:00.Z", "malformed_header"),
        ("a timestamp with a comma", "2024-01-15T10:30:00,5Z", "malformed_header"),
        ("a timestamp of a day that is none", "2024-02-30T10:30:00Z", "malformed_header"),
        ("a timestamp of an hour that is none", "2024-01-15T24:30:00Z", "malformed_header"),
        ("a timestamp with an offset without a colon", "2024-01-15T10:30:00+0000", "malformed_header"),
        ("a timestamp of a date alone", "2024-01-15", "malformed_header"),
        ("unix seconds in place of RFC 3339", str(NOW), "malformed_header"),
        ("an empty timestamp", "", "malformed_header"),
        ("a timestamp that is none", "hello", "malformed_header"),
    ]


def listed(scheme, t, v, separator, unknown):
    """What a list of a timestamp and signatures must do; `unknown` are versions that are passed over."""
    rows, header, now = scheme.rows, scheme.header, scheme.timestamp
    good, zeros = scheme.signature(), "0" * 64
    wrong, later = flip_hex(good), scheme.signature(timestamp=now + 1)
    lines = [
        ("the signature before the timestamp", [f"{v}={good}", f"{t}={now}"], "valid"),
        ("two signatures, the second genuine", [f"{t}={now}", f"{v}={wrong}", f"{v}={good}"], "valid"),
        ("three signatures, the second genuine", [f"{t}={now}", f"{v}={zeros}", f"{v}={good}", f"{v}={wrong}"], "valid"),
        ("sixteen signatures, the last genuine", [f"{t}={now}", *[f"{v}={wrong}"] * 15, f"{v}={good}"], "valid"),
        ("a malformed signature before the genuine one", [f"{t}={now}", f"{v}=dummy", f"{v}={good}"], "valid"),
        ("an empty signature before the genuine one", [f"{t}={now}", f"{v}=", f"{v}={good}"], "valid"),
        ("entries of unknown keys", ["x", f"{t}={now}", *(f"{key}={wrong}" for key in unknown), "=", "a=b=c", "", f"{v}={good}"], "valid"),
        ("one timestamp twice", [f"{t}={now}", f"{t}={now}", f"{v}={good}"], "valid"),
        ("no signature of the list is genuine", [f"{t}={now}", f"{v}={wrong}", f"{v}={zeros}"], "signature"),
        ("signatures of unknown versions alone", [f"{t}={now}", *(f"{key}={good}" for key in unknown)], "malformed_header"),
        ("the version in capitals", [f"{t}={now}", f"{v.upper()}={good}"], "malformed_header"),
        ("the timestamp alone", [f"{t}={now}"], "malformed_header"),
        ("the signature alone", [f"{v}={good}"], "malformed_header"),
        ("two different timestamps", [f"{t}={now}", f"{t}={now + 1}", f"{v}={good}"], "malformed_header"),
        ("the signature of another timestamp", [f"{t}={now}", f"{v}={later}"], "signature"),
        ("more entries before the signature than are looked at", [f"{t}={now}", *["x=y"] * 40, f"{v}={good}"], "malformed_header"),
    ]
    for name, entries, expect in lines:
        rows.add(f"list: {name}", {header: separator.join(entries)}, expect)
    other = ";" if separator == "," else ","
    rows.add("list: another separator", {header: other.join([f"{t}={now}", f"{v}={good}"])}, "malformed_header")
    rows.add("list: a blank behind the separator", {header: f"{t}={now}{separator} {v}={good}"}, "malformed_header")
    rows.add("list: the bare signature", {header: good}, "malformed_header")
    rows.add("list: two headers that would be one list", [[header, f"{t}={now}"], [header, f"{v}={good}"]], "repeated_header")


def whsec(secret):
    """The key that stands in a secret of Standard Webhooks: the prefix and the padding may be missing."""
    text = secret.removeprefix("whsec_")
    return base64.b64decode(text + "=" * (-len(text) % 4))


def touching(scheme, body):
    """Timestamp and body touch in what is signed, so that a digit could pass from one to the other."""
    scheme.rows.add("a body with a digit where it touches the timestamp, signed so", scheme.headers(body), "forbidden", body=body, note="the signature is right, and says too little about where one ends and the other begins")


# What a scheme takes whose body must be one JSON object or array.
JSON_BODIES = [(name, body, "valid" if name == "a body beyond ASCII" else "forbidden") for name, body, _ in BODIES]


def touching_a_date(scheme, body):
    """Timestamp and body touch in what is signed, and a date has one length, so that no digit can change sides."""
    scheme.rows.add("a body with a digit where it touches the timestamp, signed so", scheme.headers(body), body=body, note="a date of one digit more or less is none")


def stamped_list(rows, header, t, v, separator, between):
    """A scheme whose header is a list of a timestamp and signatures; `between` joins the timestamp and the body."""
    return Scheme(rows, header, lambda body, timestamp: joined(timestamp, between, body), NOW, wrap=lambda text, timestamp: f"{t}={timestamp}{separator}{v}={text}")


def version_zero(rows, header, timestamp_header, prefix):
    """Slack's scheme, which Zoom and Customer.io took over."""
    return Scheme(rows, header, lambda body, timestamp: joined("v0:", timestamp, ":", body), NOW, wrap=lambda text, _: prefix + text, beside=lambda timestamp: {timestamp_header: timestamp})


def version_zero_rows(scheme, prefix, timestamp_header):
    scheme.essentials()
    if prefix:
        scheme.prefixed(prefix, ("v1=", "sha256="))
    else:
        scheme.rows.add("a prefix", scheme.with_text("v0=" + scheme.signature()), "malformed_header")
    scheme.timestamp_header(timestamp_header)
    scheme.timestamps(unix_seconds(300))
    scheme.other_timestamp(NOW + 1)
    body = scheme.rows.body
    scheme.rows.add("signed without the version", scheme.with_text(sign(scheme.rows.secret, f"{NOW}:{body}")), "signature")
    scheme.rows.add("signed with a point in place of the colon", scheme.with_text(sign(scheme.rows.secret, f"v0.{NOW}.{body}")), "signature")


WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_WHSEC = "whsec_" + base64_of(b"another secret of 24 bytes")


class MessageScheme(Scheme):
    """Standard Webhooks, under one family of header names."""

    blanks_separate = True

    def __init__(self, rows, names, message):
        self.id_header, self.timestamp_name, self.message = f"{names}-id", f"{names}-timestamp", message
        super().__init__(
            rows,
            f"{names}-signature",
            lambda body, timestamp: joined(message, ".", timestamp, ".", body),
            NOW,
            wrap=lambda text, _: f"v1,{text}",
            beside=lambda timestamp: {self.id_header: message, self.timestamp_name: timestamp},
            encoding="base64",
            key=whsec,
        )

    def of(self, value, **others):
        """The headers, with a value of the signature's header as it stands."""
        return {**self.beside(str(self.timestamp)), **others, self.header: value}

    def message_rows(self):
        rows, good, wrong = self.rows, self.signature(), self.signature(secret=OTHER_WHSEC)
        for name, value, expect in [
            ("two signatures, the second genuine", f"v1,{wrong} v1,{good}", "valid"),
            ("two signatures, the first genuine", f"v1,{good} v1,{wrong}", "valid"),
            ("a signature of another version before the genuine one", f"v2,{wrong} v1,{good}", "valid"),
            ("a signature of a public key before the genuine one", f"v1a,{base64_of(bytes(64))} v1,{good}", "valid"),
            ("a malformed signature before the genuine one", f"v1,zz v1,{good}", "valid"),
            ("an empty signature before the genuine one", f"v1, v1,{good}", "valid"),
            ("entries that are none", f"  x , =  v1,{good} ", "valid"),
            ("a blank behind it", f"v1,{good} ", "valid"),
            ("no signature is genuine", f"v1,{wrong} v1,{base64_of(bytes(32))}", "signature"),
            ("the genuine signature under another version", f"v2,{good}", "malformed_header"),
            ("the genuine signature under the version of public keys", f"v1a,{good}", "malformed_header"),
            ("the version in capitals", f"V1,{good}", "malformed_header"),
            ("the version alone", "v1", "malformed_header"),
            ("the version and a comma", "v1,", "malformed_header"),
            ("no version", good, "malformed_header"),
            ("an equals sign in place of the comma", f"v1={good}", "malformed_header"),
            ("a comma in place of the blank", f"v2,{wrong},v1,{good}", "malformed_header"),
            ("a tab in place of the blank", f"v2,{wrong}\tv1,{good}", "malformed_header"),
            ("more entries before the signature than are looked at", "v2,x " * 40 + f"v1,{good}", "malformed_header"),
        ]:
            rows.add(f"list: {name}", self.of(value), expect)
        genuine = self.headers()
        pairs = [list(pair) for pair in genuine.items()]
        rows.add("another id than was signed", {**genuine, self.id_header: self.message + "2"}, "signature")
        rows.add("an id of other case", {**genuine, self.id_header: self.message.swapcase()}, "signature")
        rows.add("no id", {name: value for name, value in genuine.items() if name != self.id_header}, "missing_header")
        rows.add("the id twice, with one value", [*pairs, [self.id_header.upper(), self.message]])
        rows.add("the id twice, with different values", [*pairs, [self.id_header, self.message + "2"]], "repeated_header")
        rows.add("the secret without its prefix", genuine, secret=self.rows.secret.removeprefix("whsec_"))
        rows.add("the secret as text, not decoded", self.of("v1," + base64_of(bytes.fromhex(sign(self.rows.secret, self.content(self.rows.body, str(NOW)))))), "signature")

    def all_rows(self):
        self.essentials((OTHER_WHSEC, "whsec_" + base64_of(b"a third secret, of 27 bytes")))
        self.message_rows()
        self.timestamp_header(self.timestamp_name)
        self.timestamps(unix_seconds(300))
        self.other_timestamp(NOW + 1)


def public_key_rows(rows, header, stamp, signed, encode, key, another):
    """What a scheme with a public key must do; `signed` signs bytes, `encode` writes a signature."""
    text = lambda body=None, timestamp=NOW: encode(signed(joined(timestamp, rows.body if body is None else body)))
    pairs = lambda value, timestamp=NOW: {header: value, stamp: str(timestamp)}
    good, body = text(), rows.body
    add = lambda name, headers, expect="valid", **fields: rows.add(name, headers, expect, source=ASYMMETRIC, **fields)
    add("genuine", pairs(good))
    add("the headers' names in capitals", {name.upper(): value for name, value in pairs(good).items()})
    add("the headers' names in lower case", {name.lower(): value for name, value in pairs(good).items()})
    add("the header twice, with one value", [[stamp, str(NOW)], [header, good], [header.lower(), good]])
    add("the header twice, with different values", [[stamp, str(NOW)], [header, good], [header, text(timestamp=NOW + 1)]], "repeated_header")
    add("no signature header", {stamp: str(NOW)}, "missing_header")
    add("no timestamp header", {header: good}, "missing_header")
    add("no header at all", {}, "missing_header")
    add("an empty header", pairs(""), "malformed_header")
    add("the timestamp header twice, with different values", [[stamp, str(NOW)], [stamp, str(NOW + 1)], [header, good]], "repeated_header")
    add("another key", pairs(good), "signature", secret=another)
    add("two live keys, signed with the first", pairs(good), secrets=[key, another])
    add("two live keys, signed with the second", pairs(good), secrets=[another, key])
    add("two live keys, signed with neither", pairs(encode(signed(b"something else"))), "signature", secrets=[key, another])
    add("one changed bit in the body", pairs(good), "signature", body=flip(body))
    add("a byte more in the body", pairs(good), "signature", body=body + " ")
    add("a byte less in the body", pairs(good), "signature", body=body[:-1])
    add("no body", pairs(good), "signature", body="")
    add("the body signed alone", pairs(encode(signed(as_bytes(body)))), "signature")
    add("the body before the timestamp", pairs(encode(signed(joined(body, NOW)))), "signature")
    for name, other_body, expect in BODIES:
        add(name, pairs(text(other_body)), expect, body=other_body)
    digit = "1" + body
    add("a body with a digit where it touches the timestamp, signed so", pairs(text(digit)), "forbidden", body=digit, note="the signature is right, and says too little about where one ends and the other begins")
    add("the timestamp's last digit moved into the body", {header: good, stamp: str(NOW)[:-1]}, "timestamp", body=str(NOW)[-1] + body)
    add("the timestamp's last digit moved into the body, long ago", {header: good, stamp: str(NOW)[:-1]}, "forbidden", body=str(NOW)[-1] + body, now=NOW // 10)
    add("another timestamp than was signed", pairs(good, NOW + 1), "signature")
    for name, timestamp, expect in unix_seconds(300):
        add(name, pairs(text(timestamp=timestamp), timestamp), expect)
    return add, pairs, good
