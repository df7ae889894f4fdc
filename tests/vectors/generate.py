#!/usr/bin/env python3
"""Writes the vectors beside it: a second implementation of every scheme, on Python's standard library alone."""

import hashlib
import json

from length_extension import extend, padding
from rows import NOW, Vectors, around_a_list, around_a_signature, around_a_timestamp, as_bytes, bad_hex, compact, flip, flip_hex, sign, timed


def retake():
    doc = {"event": "intent.tracked", "timestamp": "2024-01-15T10:30:00Z", "data": {"intentId": "int_abc123", "userId": "user_456", "type": "cart", "value": 149.99, "currency": "USD", "items": [{"id": "sku_123", "name": "Premium Widget", "price": 149.99, "quantity": 1}], "metadata": {"source": "checkout_page"}}}
    rows = Vectors("retake_secret", compact(doc))
    header = "X-Webhook-Signature"
    rows.add(
        "a known answer",
        {header: "sha256=2a5353ac343b35701a0297aed52c55725036e711d8eb8d6f3d0f6e7db254428e"},
        source="the documented rule, worked out apart",
        body='{"event":"intent.tracked","timestamp":"2024-01-15T10:30:00Z","data":{"intentId":"int_abc123","userId":"user_456"}}',
    )
    around_a_signature(rows, header, "sha256=", lambda body: body)
    good = sign(rows.secret, rows.body)
    for what, prefix in [("no prefix", ""), ("the prefix in capitals", "SHA256="), ("the prefix of SHA-1", "sha1="), ("a blank behind the prefix", "sha256= "), ("the prefix twice", "sha256=sha256="), ("a list", f"sha256={'0' * 64},sha256=")]:
        rows.add(f"malformed: {what}", {header: prefix + good}, "malformed_header")
    rows.add("the prefix alone", {header: "sha256="}, "malformed_header")
    rows.add("an empty body, signed", {header: "sha256=" + sign(rows.secret, "")}, body="", note="genuine; it has no event")
    rows.write("retake")


def raaft():
    doc = json.loads(r'{ "appId": "your-app-id", "createdAt": "2024-10-07T08:10:07.558Z", "customer": { "email": "customer@email.com", "id": "customer-id", "name": "Customer Name", "photo": "Photo Url" }, "feedback": "String with feedback", "flowId": "your-flow-id", "motivator": "Missing features or integrations", "outcome": "saved" }')
    rows = Vectors("tok_123", compact(doc))
    header, token = "x-raaft-token", "tok_123"
    rows.add("a known answer", {header: token}, source="the documented rule", body='{"appId":"your-app-id","outcome":"saved"}')
    rows.add("genuine", {header: token})
    rows.add("the header's name in capitals", {header.upper(): token})
    rows.add("the header twice, with one value", [[header, token], [header.upper(), token]])
    rows.add("the header twice, the genuine value first", [[header, token], [header, "x"]], "repeated_header")
    rows.add("the header twice, the genuine value last", [[header, ""], [header, token]], "repeated_header")
    rows.add("no header", {}, "missing_header")
    rows.add("a header of another name", {"x-raaft-tokens": token}, "missing_header")
    rows.add("the token as a bearer's", {"authorization": f"Bearer {token}"}, "missing_header")
    for cut in range(len(token)):
        rows.add(f"the first {cut} characters of the token", {header: token[:cut]}, "signature")
    for what, shown in [
        ("a character more", token + "4"),
        ("a character more before", "x" + token),
        ("a blank more", token + " "),
        ("a blank more before", " " + token),
        ("a NUL more", token + "\0"),
        ("twice", token + token),
        ("in capitals", token.upper()),
        ("one changed bit", flip(token)),
        ("of the same length", "tok_124"),
        ("in quotes", f'"{token}"'),
        ("beyond ASCII", "tok_12３"),
        ("very long", token * 1_000),
        ("the digest of the token", hashlib.sha256(token.encode()).hexdigest()),
        ("a signature under the token", sign(token, rows.body)),
    ]:
        rows.add(f"not the token: {what}", {header: shown}, "signature")
    rows.add("two live tokens, the first shown", {header: token}, secrets=[token, "tok_456"])
    rows.add("two live tokens, the second shown", {header: token}, secrets=["tok_456", token])
    rows.add("two live tokens, both shown", {header: "tok_456tok_123"}, "signature", secrets=["tok_456", token])
    rows.add("two live tokens, both shown in a list", {header: "tok_456,tok_123"}, "signature", secrets=["tok_456", token])
    rows.add("a token beyond ASCII", {header: "gehéim"}, secret="gehéim")
    rows.add("a body that is not UTF-8", {header: token}, body=b'{"outcome":"saved","feedback":"\xff"}')
    rows.add("no body", {header: token}, body="", note="genuine; it has no event")
    rows.write("raaft")


def retentbase():
    doc = {"environment": "prod", "eventId": "evt_1", "userId": "user_1", "reasonKey": "too_expensive", "offer": {"type": "discount", "accepted": False, "label": "20% off"}, "occurredAt": "2024-01-15T10:29:58Z", "metadata": {"seats": 3}}
    rows = Vectors("rb_secret", compact(doc))
    unsigned = {"x-retentbase-event": "cancellation.created", "x-retentbase-event-id": "evt_1", "x-retentbase-delivery-id": "dlv_1", "x-retentbase-attempt": "1"}
    header, stamp = "x-retentbase-signature-sha256", "x-retentbase-timestamp"
    rows.add(
        "a known answer",
        {stamp: "1705689600", header: "b8639293f1dd0fd797f1f0c494927f45034cb49b33977aaeafd7230f71bcaf25", **unsigned},
        source="the documented rule, worked out apart",
        body='{"type":"cancellation.created"}',
        now=1705689600,
    )
    content = lambda body: as_bytes(f"{NOW}.") + as_bytes(body)
    others = [[stamp, str(NOW)], *map(list, unsigned.items())]
    around_a_signature(rows, header, "", content, others)
    around_a_timestamp(rows, 300, lambda t: {stamp: str(t), header: timed(rows.secret, t, rows.body), **unsigned})
    good = timed(rows.secret, NOW, rows.body)
    signed = {header: good, stamp: str(NOW)}
    rows.add("without the unsigned headers", signed, note="genuine; it has no event")
    rows.add("other unsigned headers than were sent", {**signed, "x-retentbase-event": "cancellation.outcome_updated", "x-retentbase-delivery-id": "dlv_2", "x-retentbase-attempt": "2"}, note="they are not signed; the dedupe keys see to it")
    rows.add("an attempt that is no number", {**signed, **unsigned, "x-retentbase-attempt": "first"})
    rows.add("no timestamp header", {header: good, **unsigned}, "missing_header")
    rows.add("the timestamp twice, with one value", [[stamp, str(NOW)], [stamp.upper(), str(NOW)], [header, good]])
    rows.add("the timestamp twice, with two values", [[stamp, str(NOW)], [stamp, str(NOW + 1)], [header, good]], "repeated_header")
    rows.add("the timestamp twice, in two spellings", [[stamp, str(NOW)], [stamp, f"0{NOW}"], [header, good]], "repeated_header")
    rows.add("the kind twice, with two values", [*signed.items(), ["x-retentbase-event", "a"], ["x-retentbase-event", "b"]], "repeated_header")
    rows.add("the delivery's id twice, with two values", [*signed.items(), ["x-retentbase-delivery-id", "a"], ["x-retentbase-delivery-id", "b"]], "repeated_header")
    rows.add("another timestamp than was signed", {**signed, stamp: str(NOW + 1)}, "signature")
    rows.add("the body alone signed", {**signed, header: sign(rows.secret, rows.body)}, "signature")
    rows.add("the timestamp and the body signed without the point", {**signed, header: sign(rows.secret, f"{NOW}{rows.body}")}, "signature")
    rows.add("a prefix", {**signed, header: "sha256=" + good}, "malformed_header")
    rows.add("the timestamp's digits moved into the body", {stamp: str(NOW)[:-1], header: good}, "timestamp", body=str(NOW)[-1] + "." + rows.body)
    rows.write("retentbase")


def recharge():
    secret = "shjk_test_client_secret_0123456789abcdef"
    doc = {"subscription": {"id": 89477, "address_id": 124364, "customer_id": 23456, "charge_interval_frequency": 30, "created_at": "2024-01-15T10:29:58+00:00", "order_interval_frequency": 30, "order_interval_unit": "day", "price": "12.00", "product_title": "Shirt", "quantity": 1, "status": "active"}}
    rows = Vectors(secret, compact(doc))
    first, stamp, legacy, topic = "X-Recharge-Webhook-Signature", "X-Recharge-Webhook-Timestamp", "X-Recharge-Hmac-Sha256", "X-Recharge-Topic"
    digest = lambda body, secret=secret: hashlib.sha256(as_bytes(secret) + as_bytes(body)).hexdigest()
    v1 = lambda t, body, secret=secret: f"t={t},v1={timed(secret, t, body)}"

    known = '{"id":734031438,"type":"order/created","shop_id":438291,"order":{"id":123456789,"customer":{"id":8991507},"status":"queued","total_price":"19.99","currency":"USD"}}'
    public = "the test vectors of a public crate, webhook-verify"
    apart = "the documented rule, worked out apart"
    for name, value, body, expect in [
        ("a known answer", "9e99d3bdb37c9b7621f929bd402fe24abf3961dab7dd0821a6fd0414a2dd0ca8", known, "valid"),
        ("a known answer, of an empty body", "f0c98ba3f7ea9373f788bb7b444bbae03a8e723dae0097296c7cf8dc3fa1e13e", "", "forbidden"),
        ("a known answer, of a body that is not JSON", "42317fe9be5fc915d7e849081d643a2460a0850b1a1d4d2489adeb47aae20e0e", "héllo, \U0001f980 world!", "forbidden"),
        ("a known answer, of the body before the secret", "d84ac262efa5b07e603eecf77b1f6d6468b448caf09bbf79d4c243ba84d93795", known, "signature"),
        ("a known answer, of a true HMAC", "2deb536c47dd0c7ca2e372c812c708a785c2d08849c7e058352d4f109aa24fe2", known, "signature"),
        ("a known answer, of a body with a blank more", "9e99d3bdb37c9b7621f929bd402fe24abf3961dab7dd0821a6fd0414a2dd0ca8", known.replace('"19.99"', '" 19.99"'), "signature"),
    ]:
        rows.add(f"legacy: {name}", {legacy: value}, expect, source=public, body=body)
    both = {stamp: "1785000000", first: "t=1785000000,v1=3f5ab2a6b7c2fe4bb27d25bbfa75f33acf8a42b7e77c4d94b0bd79f7eba786a6", legacy: "9e99d3bdb37c9b7621f929bd402fe24abf3961dab7dd0821a6fd0414a2dd0ca8"}
    rows.add("a known answer, exactly as old as the tolerance", both, source=apart, body=known, now=1785172800)
    rows.add("a known answer, one second older than the tolerance", both, "timestamp", source=apart, body=known, now=1785172801, note="the genuine legacy header does not help")

    around_a_list(rows, first, 172_800, lambda t, body: as_bytes(f"{t}.") + as_bytes(body))
    content = lambda body: as_bytes(f"{NOW}.") + as_bytes(body)
    sub = Vectors(secret, rows.body)
    around_a_signature(sub, first, f"t={NOW},v1=", content)
    rows.extend(row for row in sub)

    good, old = v1(NOW, rows.body), digest(rows.body)
    rows.add("both headers genuine", {first: good, stamp: str(NOW), legacy: old, topic: "subscription/created"})
    rows.add("the first header alone decides: genuine beside a wrong legacy one", {first: good, legacy: flip_hex(old)})
    rows.add("the first header alone decides: genuine beside a malformed legacy one", {first: good, legacy: "zz"})
    rows.add("the repeated timestamp is not read", {first: good, stamp: "0"})
    for name, value, expect in [
        ("stale", v1(NOW - 172_801, rows.body), "timestamp"),
        ("ahead", v1(NOW + 172_801, rows.body), "timestamp"),
        ("empty", "", "malformed_header"),
        ("of one blank", " ", "malformed_header"),
        ("malformed", "zz", "malformed_header"),
        ("without a timestamp", f"v1={timed(secret, NOW, rows.body)}", "malformed_header"),
        ("without a signature", f"t={NOW}", "malformed_header"),
        ("of a later version alone", f"t={NOW},v2={timed(secret, NOW, rows.body)}", "malformed_header"),
        ("wrong", v1(NOW, rows.body, "another secret"), "signature"),
        ("holding the legacy digest", f"t={NOW},v1={old}", "signature"),
    ]:
        rows.add(f"no fallback: a genuine legacy header beside a first one that is {name}", {first: value, legacy: old}, expect)
    rows.add("no fallback: a genuine legacy header beside two first ones", [[first, good], [first, "x"], [legacy, old]], "repeated_header")
    rows.add("a timestamp is required, and there is one", {first: good, legacy: old}, require_timestamp=True)
    rows.add("a timestamp is required, and there is only the legacy header", {legacy: old}, "timestamp_required", require_timestamp=True)

    rows.add("legacy: genuine", {legacy: old})
    rows.add("legacy: upper-case hexadecimal", {legacy: old.upper()})
    rows.add("legacy: genuine however old", {legacy: old}, now=2**62)
    rows.add("legacy: the header's name in capitals", {legacy.upper(): old})
    rows.add("legacy: the header twice, with one value", [[legacy, old], [legacy, old]])
    rows.add("legacy: the header twice, with two values", [[legacy, old], [legacy, flip_hex(old)]], "repeated_header")
    rows.add("legacy: another secret", {legacy: digest(rows.body, "another secret")}, "signature")
    rows.add("legacy: one changed bit in the body", {legacy: old}, "signature", body=flip(rows.body))
    rows.add("legacy: the body re-serialised", {legacy: old}, "signature", body=json.dumps(doc))
    rows.add("legacy: an empty header", {legacy: ""}, "malformed_header")
    rows.add("legacy: two live secrets, signed with the second", {legacy: old}, secrets=["another secret", secret])
    rows.add("legacy: the HMAC of the body", {legacy: sign(secret, rows.body)}, "signature")
    rows.add("legacy: the v1 signature", {legacy: timed(secret, NOW, rows.body)}, "signature")
    rows.add("legacy: the first bytes of the body moved into the secret", {legacy: old}, "signature", body=rows.body[1:])
    for what, text in bad_hex(old):
        rows.add(f"legacy: malformed: {what}", {legacy: text}, "malformed_header")
    for what, body, expect in [
        ("blanks around", f" \r\n{rows.body}\t", "valid"),
        ("an unwrapped object", '{"id":1}', "valid"),
        ("one text and another", rows.body + rows.body, "forbidden"),
        ("one text and a comma", rows.body + ",", "forbidden"),
        ("a text cut off", rows.body[:-1], "forbidden"),
        ("one text and a NUL", rows.body + "\0", "forbidden"),
        ("a string of bytes that are not UTF-8", b'{"a":"\xff"}', "forbidden"),
        ("one text and the first byte of a padding", rows.body.encode() + b"\x80", "forbidden"),
        ("a byte order mark", b"\xef\xbb\xbf" + rows.body.encode(), "forbidden"),
    ]:
        rows.add(f"legacy: signed, with a body of {what}", {legacy: digest(body)}, expect, body=body)
    for suffix in [b"", b'{"subscription":{"id":1,"price":"0.00"}}', b"," * 200]:
        forged, extended = extend(old, len(secret) + len(rows.body), suffix)
        body = rows.body.encode() + forged
        assert extended == digest(body), "the extension is the digest that the secret's holder would compute"
        name = f"length extension by {len(suffix)} bytes"
        note = "the digest is right, and was made without the secret: the body is no JSON text"
        rows.add(f"legacy: {name}", {legacy: extended}, "forbidden", body=body, note=note)
        rows.add(f"legacy: {name}, of a secret of another length", {legacy: extended}, "signature", body=rows.body.encode() + padding(len(secret) + 1 + len(rows.body)) + suffix)

    for name, body, fields, expect in [
        ("a topic that names the body's resource", rows.body, {topic: "subscription/updated"}, "valid"),
        ("a topic that names another resource", rows.body, {topic: "charge/paid"}, "forbidden"),
        ("a topic that names another resource in capitals", rows.body, {topic: "Subscription/created"}, "forbidden"),
        ("a topic that is a part of the resource's name", rows.body, {topic: "sub/created"}, "forbidden"),
        ("a topic of a resource alone", rows.body, {topic: "subscription"}, "valid"),
        ("a topic with an unwrapped object", '{"id":89477}', {topic: "subscription/deleted"}, "valid"),
        ("a topic with an unwrapped object of several fields", '{"id":1,"customer":{"id":2}}', {topic: "order/created"}, "valid"),
        ("a topic with an unwrapped object whose one field is an object", '{"customer":{"id":2}}', {topic: "order/created"}, "forbidden"),
        ("a topic whose resource stands beside another", '{"order":{"id":1},"charge":{"id":2}}', {topic: "charge/paid"}, "valid"),
        ("another resource beside something else", '{"subscription":{"id":1},"x":1}', {topic: "plan/deleted"}, "forbidden"),
        ("an object that is not wrapped, with an object in it", '{"id":1,"customer":{"id":2}}', {topic: "charge/paid"}, "valid"),
        ("an empty topic", rows.body, {topic: ""}, "valid"),
        ("an unknown topic of an unknown resource", '{"voucher":{"id":1}}', {topic: "voucher/created"}, "valid"),
        ("the end of an installation, keyed by the store", '{"store":{"id":1}}', {topic: "app/uninstalled"}, "valid"),
        ("the end of an installation, keyed otherwise", '{"shop":{"id":1}}', {topic: "recharge/uninstalled"}, "valid"),
        ("the end of an installation, with the body of a subscription", rows.body, {topic: "recharge/uninstalled"}, "forbidden"),
    ]:
        rows.add(f"topic: {name}", {first: v1(NOW, body), **fields}, expect, body=body)
    rows.add("topic: another resource, under the legacy header", {legacy: old, topic: "order/created"}, "forbidden")
    rows.add("topic: another resource, with a wrong signature", {first: v1(NOW, rows.body, "x"), topic: "order/created"}, "signature", note="nothing is said of a body that is not genuine")
    rows.add("topic: two different ones", [[first, good], [topic, "subscription/created"], [topic, "subscription/updated"]], "repeated_header")
    rows.add("topic: one twice", [[first, good], [topic, "subscription/created"], [topic, "subscription/created"]])
    rows.add("topic: configured, which names the body's resource", {first: good}, kind="subscription/created")
    rows.add("topic: configured, which names another resource", {first: good}, "wrong_endpoint", kind="charge/paid")
    rows.add("topic: configured, so that the header is not read", [[first, good], [topic, "charge/paid"], [topic, "x"]], kind="subscription/created")
    rows.write("recharge")


def revkeen():
    secret, header, alias = "rk_wh_abc123", "X-Revkeen-Signature", "X-Rk-Signature"
    doc = {"id": "evt_1", "object": "event", "type": "invoice.paid", "created": NOW, "livemode": True, "api_version": "2024-01-01", "data": {"object": {"id": "inv_1", "total_minor": 4999, "currency": "USD", "status": "paid"}}}
    rows = Vectors(secret, compact(doc))
    rows.add("a known answer", {header: "t=1705689600,v1=91e8c5dc14a51ac7234768579068a16b2d3851bdf8868469d00a4cdaff0168a0"}, source="the secret, timestamp and payload of RevKeen's command-line tool's tests", body='{"id":"evt_1"}', now=1705689600)
    rows.add("body-only: a known answer", {"X-RevKeen-Signature": "sha256=bf16ed577052cd2370758c66174c54c325cbca6d49bf5d29c332ed6a82f2545b"}, source="the rule of RevKeen's dashboard, worked out apart", body='{"id":"evt_1"}')
    around_a_list(rows, header, 300, lambda t, body: as_bytes(f"{t}.") + as_bytes(body))
    for prefix, content, label in [(f"t={NOW},v1=", lambda body: as_bytes(f"{NOW}.") + as_bytes(body), ""), ("sha256=", lambda body: body, "body-only: ")]:
        sub = Vectors(secret, rows.body)
        around_a_signature(sub, header, prefix, content)
        rows.extend({**row, "name": label + row["name"]} for row in sub)
    v1, alone = f"t={NOW},v1={timed(secret, NOW, rows.body)}", "sha256=" + sign(secret, rows.body)
    stale = f"t={NOW - 301},v1={timed(secret, NOW - 301, rows.body)}"
    rows.add("the other name of the header", {alias: v1})
    rows.add("body-only: the other name of the header", {alias: alone})
    rows.add("the headers that are not read", {header: v1, "X-Revkeen-Event-Id": "evt_2", "X-Revkeen-Timestamp": "0", "X-Revkeen-Account": "acct_1", "X-Revkeen-Version": "1"})
    rows.add("the secret without its prefix", {header: f"t={NOW},v1={timed('abc123', NOW, rows.body)}"}, "signature")
    rows.add("a timestamp is required, and there is one", {header: v1}, require_timestamp=True)
    rows.add("a timestamp is required, and the body alone is signed", {header: alone}, "timestamp_required", require_timestamp=True)
    rows.add("a timestamp is required, and the other name's body alone is signed", {alias: alone}, "timestamp_required", require_timestamp=True)
    rows.add("body-only: genuine however old", {header: alone}, now=2**62)
    rows.add("no fallback: stale under one name, the body alone signed under the other", {header: stale, alias: alone}, "timestamp")
    rows.add("no fallback: the body alone signed under one name, stale under the other", {header: alone, alias: stale}, "timestamp")
    rows.add("no fallback: both forms in one header, the list first", {header: f"{v1},{alone}"}, note="the list decides, and its other entries are passed over")
    rows.add("no fallback: both forms in one header, the list stale", {header: f"{stale},{alone}"}, "timestamp")
    rows.add("no fallback: both forms in two headers of one name", [[header, stale], [header, alone]], "repeated_header")
    rows.add("domain separation: a timestamped signature shown as one of the body", {header: "sha256=" + timed(secret, NOW, rows.body)}, "forbidden", body=f"{NOW}.{rows.body}", note="the HMAC is right for this body, and no delivery of RevKeen's has it")
    rows.add("domain separation: the same with a negative timestamp", {header: "sha256=" + timed(secret, -1, rows.body)}, "forbidden", body=f"-1.{rows.body}")
    rows.add("domain separation: a timestamped signature shown as one of the body without its timestamp", {header: "sha256=" + timed(secret, NOW, rows.body)}, "signature")
    rows.add("domain separation: a signature of the body shown in a list", {header: f"t={NOW},v1={sign(secret, rows.body)}"}, "signature")
    rows.add("domain separation: a signature of the body shown in a list, an opening brace for a timestamp", {header: f"t={{,v1={sign(secret, rows.body)}"}, "malformed_header")
    for what, body, expect in [("an array", "[]", "valid"), ("blanks before an object", " \r\n\t{}", "valid"), ("a string", '"{}"', "forbidden"), ("a number", "1", "forbidden"), ("nothing", "", "forbidden"), ("blanks", "  ", "forbidden"), ("a form feed before an object", "\f{}", "forbidden"), ("a byte order mark before an object", "\ufeff{}", "forbidden")]:
        rows.add(f"body-only: signed, with a body of {what}", {header: "sha256=" + sign(secret, body)}, expect, body=body)
    rows.write("revkeen")


def rfc4231():
    rows = Vectors("", "", now=0)
    for case, key, data, answer in [
        (1, b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (2, b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (3, b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (4, bytes(range(1, 26)), b"\xcd" * 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        (6, b"\xaa" * 131, b"Test Using Larger Than Block-Size Key - Hash Key First", "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
        (7, b"\xaa" * 131, b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.", "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
    ]:
        assert sign(key, data) == answer
        rows.add(f"test case {case}", {"digest": answer}, "valid", source=f"RFC 4231, section 4.{case + 1}", secret_hex=key.hex(), body=data.decode() if data.isascii() else data)
        rows.add(f"test case {case}, with one changed bit", {"digest": flip_hex(answer)}, "signature", source=f"RFC 4231, section 4.{case + 1}", secret_hex=key.hex(), body=data.decode() if data.isascii() else data)
    rows.write("rfc4231")


if __name__ == "__main__":
    for write in (retake, raaft, retentbase, recharge, revkeen, rfc4231):
        write()
