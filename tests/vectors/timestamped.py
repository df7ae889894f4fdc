#!/usr/bin/env python3
"""Writes the vectors of the providers of the catalogue that sign a timestamp: every scheme a second time, in Python.

The HMACs are the standard library's; Ed25519 and ECDSA are those of the package `cryptography`.
"""

import base64
import hashlib
from email.utils import formatdate

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from rows import NOW, Vectors, as_bytes, compact, flip_hex, sign
from schemes import JSON_BODIES, OTHER_WHSEC, RFC3339, WHSEC, MessageScheme, Scheme, base64_of, joined, listed, public_key_rows, rfc3339, stamped_list, touching, touching_a_date, unix_millis, unix_seconds, version_zero, version_zero_rows, whsec

ORDER_OF_ED25519 = 2**252 + 27742317777372353535851937790883648493
ORDER_OF_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
STANDARD_TESTS = "standard-webhooks/standard-webhooks, libraries/python/tests/test_webhooks.py"


def known_message(rows, names, source):
    """The answers of the tests of Standard Webhooks' own libraries."""
    body, now, answer, other = '{"test": 2432232314}', 1614265330, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
    content = f"{MESSAGE}.{now}.{body}"
    assert base64_of(bytes.fromhex(sign(whsec(WHSEC), content))) == answer
    headers = {f"{names}-id": MESSAGE, f"{names}-timestamp": str(now), f"{names}-signature": f"v1,{answer}"}
    add = lambda name, expect="valid", secret=WHSEC, now=now, without=(), **changed: rows.add(
        f"known answer: {name}", {key: value for key, value in {**headers, **{f"{names}-{key}": value for key, value in changed.items()}}.items() if key not in without}, expect, source=source, secret=secret, body=body, now=now
    )
    add("genuine")
    add("the secret without its prefix", secret=WHSEC.removeprefix("whsec_"))
    add("one character of the signature changed", "signature", signature="v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA=")
    add("several signatures, the third genuine", signature=f"v1,{other} v2,{other} v1,{answer} v1,{other}")
    add("the digest under another version alone", "malformed_header", signature=f"v2,{answer}")
    add("too old", "timestamp", now=now + 301)
    add("too new", "timestamp", now=now - 301)
    for part in ("id", "timestamp", "signature"):
        add(f"no {names}-{part}", "missing_header", without=(f"{names}-{part}",))
    add("a timestamp that is no number", "malformed_header", timestamp="hello")


def standard_webhooks():
    doc = {"type": "user.created", "timestamp": "2022-11-03T20:26:10.344522Z", "data": {"id": "1f81eb52-5198-4599-803e-771906343485", "type": "contact", "first_name": "John", "last_name": "Smith"}}
    rows = Vectors(WHSEC, compact(doc))
    known_message(rows, "webhook", STANDARD_TESTS)
    body, now = '{"test": 2432232314}', 1614265330
    for what, secret, answer in [
        ("one digit too few", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "LVOXivKoo4FWasi/IaHvzhE/u+7/cu2AME+zS/nXqzk="),
        ("two digits too many", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwBr", "yK2tMbA6BHPrMEJ1lLv7UlJJbgFoqGenJkiajZ29evg="),
    ]:
        assert base64_of(bytes.fromhex(sign(whsec(secret), f"{MESSAGE}.{now}.{body}"))) == answer
        headers = {"webhook-id": MESSAGE, "webhook-timestamp": str(now), "webhook-signature": f"v1,{answer}"}
        source = f"the secret of {STANDARD_TESTS}"
        rows.add(f"known answer: a secret without its padding, {what}", headers, source=source, secret=secret, body=body, now=now, note="the bits that its last digit has to spare are set, and the libraries do not look at them")
        rows.add(f"known answer: a secret with its padding, {what}", headers, source=source, secret=secret + "=" * (-len(secret.removeprefix("whsec_")) % 4), body=body, now=now)
    scheme = MessageScheme(rows, "webhook", MESSAGE)
    scheme.all_rows()
    rows.add("the names of Svix alone", {name.replace("webhook", "svix"): value for name, value in scheme.headers().items()}, "missing_header")
    for what, secret in [("its prefix alone", "whsec_"), ("a character beyond base64", WHSEC + "!"), ("a blank behind it", WHSEC + " "), ("one character beyond a full group", WHSEC + "A")]:
        rows.add(f"a secret that is none: {what}", scheme.headers(), "secret", secret=secret)
    rows.write("standard_webhooks")


def svix(name="svix", doc=None):
    doc = doc or {"event_type": "invoice.paid", "invoice_id": "in_1", "amount": 4999}
    rows = Vectors(WHSEC, compact(doc))
    known_message(rows, "svix", "svix/svix-webhooks, python/tests/test_webhooks.py")
    scheme = MessageScheme(rows, "svix", MESSAGE)
    other = MessageScheme(rows, "webhook", MESSAGE)
    genuine, under_other = scheme.headers(), other.headers()
    if name == "svix":
        scheme.all_rows()
    else:
        scheme.essentials((OTHER_WHSEC, "whsec_" + base64_of(b"a third secret, of 27 bytes")))
        scheme.timestamps(unix_seconds(300)[:5])
    rows.add("the other names: genuine", under_other)
    rows.add("the other names: another secret", other.headers(secret=OTHER_WHSEC), "signature")
    rows.add("the other names: stale", other.headers(timestamp=NOW - 301), "timestamp")
    rows.add("the other names: another id than was signed", {**under_other, "webhook-id": "msg_2"}, "signature")
    for part in ("id", "timestamp", "signature"):
        rows.add(f"the other names: no webhook-{part}", {key: value for key, value in under_other.items() if key != f"webhook-{part}"}, "missing_header")
    rows.add("both names, with one set of values", {**genuine, **under_other})
    rows.add("both names, the first wrong", {**scheme.headers(secret=OTHER_WHSEC), **under_other}, "signature", note="the first decides, and the second is no fallback")
    rows.add("both names, the first stale", {**scheme.headers(timestamp=NOW - 301), **under_other}, "timestamp")
    rows.add("both names, the second wrong", {**genuine, **other.headers(secret=OTHER_WHSEC)}, note="the first decides")
    rows.add("both names, the second with another id", {**genuine, "webhook-id": "msg_2", "webhook-timestamp": "0"}, note="headers that are not read")
    rows.add("the id and the timestamp under one name, the signature under the other", {"webhook-id": MESSAGE, "webhook-timestamp": str(NOW), "svix-signature": genuine["svix-signature"]}, "missing_header")
    rows.write(name)


def clerk():
    svix("clerk", {"data": {"birthday": "", "created_at": 1654012591514, "email_addresses": [{"email_address": "example@example.org", "id": "idn_29w83yL7CwVlJXylYLxcslromF1", "object": "email_address"}], "first_name": "Example", "id": "user_29w83sxmDNGwOuEthce5gg56FcC", "last_name": "Example", "object": "user"}, "instance_id": "ins_123", "object": "event", "timestamp": 1654012591835, "type": "user.created"})


def resend():
    svix("resend", {"type": "email.sent", "created_at": "2023-02-22T23:41:12.126Z", "data": {"created_at": "2023-02-22T23:41:11.894719+00:00", "email_id": "56761188-7520-42d8-8898-ff6fc54ce618", "from": "Acme <onboarding@resend.dev>", "to": ["delivered@resend.dev"], "subject": "Sending this example"}})


def stripe():
    doc = {"id": "evt_1NG8Du2eZvKYlo2CUI79vXWy", "object": "event", "api_version": "2019-02-19", "created": 1686089970, "data": {"object": {"id": "seti_1NG8Du2eZvKYlo2C9XMqbR0x", "object": "setup_intent", "status": "requires_confirmation"}}, "livemode": False, "pending_webhooks": 0, "request": {"id": None, "idempotency_key": None}, "type": "setup_intent.created"}
    rows = Vectors("whsec_test_secret", compact(doc))
    published = '{\n  "id": "evt_test_webhook",\n  "object": "event",\n  "data": { "object": { "id": "rdr_123", "object": "terminal.reader" } }\n}'
    answer, source = "3bfab77baf5f7b6991a46c9b53b6547d7afc56148b10468fcad9f35c1992ffbd", "the secret and payload of stripe/stripe-python, tests/test_webhook.py"
    assert sign(rows.secret, f"1700000000.{published}") == answer
    for name, header, expect in [
        ("genuine", f"t=1700000000,v1={answer}", "valid"),
        ("two signatures and one of an older version", f"t=1700000000,v1={'0' * 64},v1={answer},v0=bad", "valid"),
        ("a header that is none", "bad_header", "malformed_header"),
    ]:
        rows.add(f"known answer: {name}", {"Stripe-Signature": header}, expect, source=source, body=published, now=1700000000)
    rows.add("the header of Stripe's page on signatures", {"Stripe-Signature": "t=1492774577,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd,v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"}, "signature", source="https://docs.stripe.com/webhooks/signature", now=1492774577, note="its secret and body are not published; the header is well-formed")
    scheme = stamped_list(rows, "Stripe-Signature", "t", "v1", ",", ".")
    scheme.essentials()
    rows.add("the secret without its prefix", scheme.headers(secret="test_secret"), "signature")
    listed(scheme, "t", "v1", ",", ("v0", "v2"))
    scheme.timestamps(unix_seconds(300))
    rows.add("the timestamp's digits moved into the body", {"Stripe-Signature": f"t={str(NOW)[:-1]},v1={scheme.signature()}"}, "timestamp", body=str(NOW)[-1] + "." + rows.body)
    rows.write("stripe")


def slack():
    doc = {"token": "ZZZZZZWSxiZZZ2yIvs3peJ", "team_id": "T123ABC456", "api_app_id": "A123ABC456", "event": {"type": "app_mention", "user": "U123ABC456", "text": "What is the hour of the pearl, <@U0LAN0Z89>?", "ts": "1515449522.000016", "channel": "C123ABC456", "event_ts": "1515449522000016"}, "type": "event_callback", "event_id": "Ev123ABC456", "event_time": 1515449522000016, "authed_users": ["U0LAN0Z89"]}
    rows = Vectors("8f742231b10e8888abcd99yyyzzz85a5", compact(doc))
    command = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    answer, now, source = "a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503", 1531420618, "https://docs.slack.dev/authentication/verifying-requests-from-slack"
    assert sign(rows.secret, f"v0:{now}:{command}") == answer
    headers = {"X-Slack-Request-Timestamp": str(now), "X-Slack-Signature": f"v0={answer}"}
    rows.add("known answer: genuine", headers, source=source, body=command, now=now)
    rows.add("known answer: a body with something behind it", headers, "signature", source="slackapi/python-slack-sdk, tests/slack_sdk/signature/test_signature_verifier.py", body=command + "------", now=now)
    rows.add("known answer: stale", headers, "timestamp", source="slackapi/python-slack-sdk, tests/slack_sdk/signature/test_signature_verifier.py", body=command, now=now + 301)
    scheme = version_zero(rows, "X-Slack-Signature", "X-Slack-Request-Timestamp", "v0=")
    version_zero_rows(scheme, "v0=", "X-Slack-Request-Timestamp")
    for what, body in [("a request to verify the URL", '{"token":"Jhj5dZrVaK7ZwHHjRyZWjbDl","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}'), ("a click on a button, as a form", "payload=%7B%22type%22%3A%22block_actions%22%7D")]:
        rows.add(what, scheme.headers(body), body=body)
    rows.write("slack")


def zoom():
    doc = {"event": "meeting.started", "event_ts": 1626230691572, "payload": {"account_id": "AAAAAABBBB", "object": {"id": "1234567890", "uuid": "4444AAAiAAAAAiAiAiiAii==", "host_id": "x1yCzABCDEfg23HiJKl4mN", "topic": "My Meeting", "type": 8, "start_time": "2021-07-13T21:44:51Z", "timezone": "America/Los_Angeles", "duration": 60}}}
    rows = Vectors("zoom_webhook_secret", compact(doc))
    scheme = version_zero(rows, "x-zm-signature", "x-zm-request-timestamp", "v0=")
    version_zero_rows(scheme, "v0=", "x-zm-request-timestamp")
    body = '{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1654503849680,"event":"endpoint.url_validation"}'
    rows.add("a request to validate the URL", scheme.headers(body), body=body)
    rows.write("zoom")


def customer_io():
    doc = {"data": {"customer_id": "0200102", "email_address": "test@example.com", "identifiers": {"id": "0200102"}}, "event_id": "01E4C4CT6YDC7Y5M7FE1GWWPQJ", "object_type": "customer", "metric": "subscribed", "timestamp": 1613063089}
    rows = Vectors("755781b5e03a973f3405a85474d5a032a60fd56fabaad66039b12eadd83955fa", compact(doc))
    scheme = version_zero(rows, "X-CIO-Signature", "X-CIO-Timestamp", "")
    version_zero_rows(scheme, "", "X-CIO-Timestamp")
    rows.add("the secret decoded from hexadecimal", scheme.with_text(sign(bytes.fromhex(rows.secret), scheme.content(rows.body, str(NOW)))), "signature", note="the signing key is used as text")
    rows.write("customer_io")


def paddle():
    published = '{"data":{"id":"pri_01hsdn96k2hxjzsq5yerecdj9j","name":null,"status":"active","quantity":{"maximum":999999,"minimum":1},"tax_mode":"account_setting","product_id":"pro_01hsdn8qp7yydry3x1yeg6a9rv","unit_price":{"amount":"1000","currency_code":"USD"},"custom_data":null,"description":"testing","import_meta":null,"trial_period":null,"billing_cycle":{"interval":"month","frequency":1},"unit_price_overrides":[]},"event_id":"evt_01hsdn97563968dy0szkmgjwh3","event_type":"price.created","occurred_at":"2024-03-20T10:07:35.590857Z","notification_id":"ntf_01hsdn977e920kbgzt6r6c9rqc"}'
    rows = Vectors("pdl_ntfset_01hsdn8d43dt7mezr1ef2jtbaw_hKkRiCGyyRhbFwIUuqiTBgI7gnWoV0Gr", published)
    go, python = "PaddleHQ/paddle-go-sdk, webhook_verifier_test.go", "PaddleHQ/paddle-python-sdk, tests/Unit/Notification/test_Verifier.py"
    now, answer = 1710929255, "6c05ef8fa83c44d751be6d259ec955ce5638e2c54095bf128e408e2fce1589c8"
    assert sign(rows.secret, f"{now}:{published}") == answer
    header = {"Paddle-Signature": f"ts={now};h1={answer}"}
    rows.add("known answer: genuine", header, source=go, now=now)
    rows.add("known answer: no header", {}, "missing_header", source=go, now=now)
    rows.add("known answer: another body", header, "signature", source=go, now=now, body="{}")
    rows.add("known answer: another secret", header, "signature", source=go, now=now, secret="abc")
    rows.add("known answer: a header that is none", {"Paddle-Signature": "ts=x;h1=y"}, "malformed_header", source=go, now=now)
    secrets = [f"pdl_ntf_01hbpjmytsa32fhr36nqgc3kgb_{rest}" for rest in ("TjIG2BXbm83HPXqNfziwe506sBEdqL/4", "vB/yIOnTOCWIvpBadM5jzBZPHc7OmdSo", "WvRO0eL4Bj9rgYYIBZY6wZhG4EHy9jzh")]
    answer = "d96299976a6eb066f484d7fde011ac56fc32b38fc9940bc419d6e537fdc6ef02"
    assert sign(secrets[2], "1696195954:hello-world") == answer
    rows.add("known answer: three live secrets, and a malformed signature before the genuine one", {"Paddle-Signature": f"ts=1696195954;h1=dummy;h1={answer}"}, source=python, secrets=secrets, body="hello-world", now=1696195954)
    scheme = stamped_list(rows, "Paddle-Signature", "ts", "h1", ";", ":")
    scheme.essentials()
    listed(scheme, "ts", "h1", ";", ("h0", "h2"))
    scheme.timestamps(unix_seconds(5, ahead=60))
    rows.add("a point in place of the colon", {"Paddle-Signature": f"ts={NOW};h1={sign(rows.secret, f'{NOW}.{rows.body}')}"}, "signature")
    rows.write("paddle")


def calendly():
    doc = {"event": "invitee.created", "created_at": "2020-11-23T17:51:19.000000Z", "created_by": "https://api.calendly.com/users/AAAAAAAAAAAAAAAA", "payload": {"email": "test@example.com", "name": "John Doe", "status": "active", "uri": "https://api.calendly.com/scheduled_events/AAAAAAAAAAAAAAAA/invitees/AAAAAAAAAAAAAAAA"}}
    rows = Vectors("5mEzn9C-I28UtwOjZJtFoob0sAAFZ95GbZkqj4y3i0I", compact(doc))
    scheme = stamped_list(rows, "Calendly-Webhook-Signature", "t", "v1", ",", ".")
    scheme.essentials()
    listed(scheme, "t", "v1", ",", ("v0", "v2"))
    scheme.timestamps(unix_seconds(180))
    rows.write("calendly")


def recurly():
    body = '{"id":"rjxwmwedwqug","object_type":"account","site_id":"qc326l1hl8k9","event_type":"created","event_time":"2022-09-13T21:18:40Z","account_code":"adfas23zzz14123"}'
    rows = Vectors("354fab5bd35f5a0d50845ee7e30165244468b13c2c343f104e4e730a59326d9d", body)
    source, answer, header = "recurly/recurly-client-ruby, spec/recurly/webhooks_spec.rb", "ad24699f3beaa24c9af2cc7ada3ce4c835da0090194241b9d3add83d27f14bc3", "recurly-signature"
    assert sign(rows.secret, f"1663103925004.{body}") == answer
    published = {header: f"1663103925004,{answer}"}
    rows.add("known answer: genuine", published, source=source, now=1663103925)
    rows.add("known answer: older than five minutes", published, "timestamp", source=source)
    rows.add("known answer: another secret", published, "signature", source=source, now=1663103925, secret="key")
    rows.add("known answer: another body", published, "signature", source=source, now=1663103925, body="{}")
    rows.add("known answer: another timestamp", {header: f"1663103926004,{answer}"}, "signature", source=source, now=1663103925)
    rows.add("known answer: two signatures, the second genuine", {header: f"1663103925004,de1ec7ab1e,{answer}"}, source=source, now=1663103925)
    rows.add("known answer: a timestamp that is no number", {header: f"abc,{answer}"}, "malformed_header", source=source, now=1663103925)
    rows.add("known answer: no signature", {header: "1663103925004,"}, "malformed_header", source=source, now=1663103925)
    now = NOW * 1000
    scheme = Scheme(rows, header, lambda body, timestamp: joined(timestamp, ".", body), now, wrap=lambda text, timestamp: f"{timestamp},{text}")
    scheme.essentials()
    good, wrong = scheme.signature(), flip_hex(scheme.signature())
    for name, value, expect in [
        ("two signatures, the first genuine", f"{now},{good},{wrong}", "valid"),
        ("two signatures, neither genuine", f"{now},{wrong},{'0' * 64}", "signature"),
        ("sixteen signatures, the last genuine", f"{now},{','.join([wrong] * 15)},{good}", "valid"),
        ("an empty entry before the genuine one", f"{now},,{good}", "valid"),
        ("a timestamp behind the signature", f"{good},{now}", "malformed_header"),
        ("the timestamp alone", f"{now}", "malformed_header"),
        ("the signature alone", good, "malformed_header"),
        ("no timestamp", f",{good}", "malformed_header"),
        ("two timestamps", f"{now},{now},{good}", "valid"),
        ("keys", f"t={now},v1={good}", "malformed_header"),
        ("semicolons", f"{now};{good}", "malformed_header"),
        ("a blank behind the comma", f"{now}, {good}", "malformed_header"),
        ("more entries before the signature than are looked at", f"{now}{',x' * 40},{good}", "malformed_header"),
    ]:
        rows.add(f"list: {name}", {header: value}, expect)
    rows.add("list: two headers that would be one list", [[header, str(now)], [header, good]], "repeated_header")
    scheme.timestamps(unix_millis(300))
    rows.add("an id beside it, which is not signed", {**scheme.headers(), "recurly-notification-id": "rjxwmwedwqug"})
    rows.write("recurly")


def zendesk():
    doc = {"account_id": 12514403, "detail": {"id": "6596848315901", "name": "John Doe"}, "event": {"group": {"id": "6596848315901"}}, "id": "2b24ef10-19ed-4be1-8a6c-1a9a9a1b1a11", "subject": "zen:user:6596848315901", "time": "2024-01-15T10:29:59Z", "type": "zen:event-type:user.group_membership_created", "zendesk_event_version": "2022-06-20"}
    rows = Vectors("dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==", compact(doc))
    header, stamp = "X-Zendesk-Webhook-Signature", "X-Zendesk-Webhook-Signature-Timestamp"
    scheme = Scheme(rows, header, lambda body, timestamp: joined(timestamp, body), RFC3339, beside=lambda timestamp: {stamp: timestamp}, encoding="base64")
    scheme.essentials()
    rows.add("the secret decoded from base64", scheme.with_text(base64_of(bytes.fromhex(sign(base64.b64decode(rows.secret), joined(RFC3339, rows.body))))), "signature", note="the secret is used as text, although it looks like base64")
    scheme.timestamp_header(stamp)
    scheme.timestamps(rfc3339(300, ("2024-01-15T10:25:00Z", "2024-01-15T10:24:59Z", "2024-01-15T10:35:00Z", "2024-01-15T10:35:01Z")))
    scheme.other_timestamp("2024-01-15T10:30:01Z")
    rows.add("the same point in time in another spelling", scheme.with_text(scheme.signature(), "2024-01-15T10:30:00+00:00"), "signature", note="the timestamp is signed as text")
    touching_a_date(scheme, "0" + rows.body)
    rows.add("an id beside it, which is not signed", {**scheme.headers(), "X-Zendesk-Webhook-Invocation-Id": "8350205582"})
    rows.write("zendesk")


def hubspot():
    doc = [{"objectId": 1246965, "propertyName": "lifecyclestage", "propertyValue": "subscriber", "changeSource": "ACADEMY", "eventId": 3816279340, "subscriptionId": 25, "portalId": 33, "appId": 1160452, "occurredAt": 1462216307945, "subscriptionType": "contact.propertyChange", "attemptNumber": 0}]
    rows, url = Vectors("yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy", compact(doc)), "https://www.example.com/webhook_uri"
    header, stamp, now = "X-HubSpot-Signature-v3", "X-HubSpot-Request-Timestamp", NOW * 1000
    scheme = Scheme(rows, header, lambda body, timestamp: joined("POST", url, body, timestamp), now, beside=lambda timestamp: {stamp: timestamp}, encoding="base64")
    published, answer = "{'example_field':'example_value'}", "HPW73RUtKmcYoEDADG0s6MmGFWUzWJKAW07r8RDgcQw="
    assert scheme.signature(published, 15000000) == answer
    rows.add("known answer: genuine", {header: answer, stamp: "15000000"}, source="HubSpot/hubspot-api-python, tests/spec/utils/test_signature.py", body=published, now=15000)
    rows.add("known answer: expired", {header: answer, stamp: "15000000"}, "timestamp", source="HubSpot/hubspot-api-python, tests/spec/utils/test_signature.py", body=published, now=15301)
    scheme.essentials()
    scheme.timestamp_header(stamp)
    scheme.timestamps(unix_millis(300))
    scheme.other_timestamp(now + 1)
    touching(scheme, rows.body + "1")
    signed = lambda method, where: scheme.with_text(base64_of(bytes.fromhex(sign(rows.secret, joined(method, where, rows.body, now)))))
    for name, method, where in [
        ("another host", "POST", "https://evil.example.com/webhook_uri"),
        ("another path", "POST", "https://www.example.com/other"),
        ("another scheme of the URL", "POST", url.replace("https", "http")),
        ("the URL with a slash behind it", "POST", url + "/"),
        ("the URL with a query", "POST", url + "?a=1"),
        ("the path alone", "POST", "/webhook_uri"),
        ("no URL", "POST", ""),
        ("another method", "GET", url),
        ("the method in lower case", "post", url),
        ("no method", "", url),
    ]:
        rows.add(f"signed with {name}", signed(method, where), "signature")
    rows.add("a header that names another host, which is not read", {**scheme.headers(), "X-Forwarded-Host": "evil.example.com"})
    rows.add("a URL with a query, configured so", signed("POST", url + "?portal=33"), public_url=url + "?portal=33")
    rows.add("another method, which the request has", signed("PUT", url), method="PUT")
    rows.add("another method than the request has", signed("PUT", url), "signature")
    for row in rows:
        row.setdefault("public_url", url)
    rows.write("hubspot")


def linear():
    doc = {"action": "create", "data": {"id": "2174add1-f7c8-44e3-bbf3-2d60b5ea8bc9", "createdAt": "2020-01-23T12:53:18.084Z", "updatedAt": "2020-01-23T12:53:18.084Z", "archivedAt": None, "body": "Indeed, I think this is definitely an improvement over the previous version.", "edited": False, "issueId": "539068e2-ae88-4d09-bd75-22eb4a59612f", "userId": "aacdca22-6266-4c0a-ab3c-8fa70a26765c"}, "type": "Comment", "url": "https://linear.app/issue/LIN-1778/foo-bar#comment-77217de3-fb52-4dad-bb9a-b356beb93de8", "createdAt": "2020-01-23T12:53:18.084Z", "webhookTimestamp": 1677611643000}
    rows = Vectors("SECRET", compact(doc), now=1677611643)
    source = "the secret and payload of linear/linear, packages/sdk/src/_tests/LinearWebhooks.test.ts"
    answer = sign(rows.secret, rows.body)
    rows.add("the SDK's test: genuine", {"linear-signature": answer}, source=source)
    rows.add("the SDK's test: another secret", {"linear-signature": sign("WRONG_SECRET", rows.body)}, "signature", source=source)
    rows.add("the SDK's test: long ago", {"linear-signature": answer}, "timestamp", source=source, now=NOW)
    scheme = Scheme(rows, "Linear-Signature", lambda body, _: as_bytes(body), None)
    stamped = lambda text: f'{{"webhookTimestamp":{text},"text":"\u00e9, \U0001f980"}}'
    unreadable = b'{"webhookTimestamp":1677611643000,"text":"\xff\xfe"}'
    scheme.essentials(bodies=[
        ("a body beyond ASCII", stamped(1677611643000), "valid"),
        ("a body that is not UTF-8, behind its timestamp", unreadable, "valid"),
        ("an empty body, signed", "", "forbidden"),
        ("a body that is no JSON, signed", "webhookTimestamp=1677611643000", "forbidden"),
        ("a body that is an array, signed", '[{"webhookTimestamp":1677611643000}]', "forbidden"),
        ("a body without a timestamp, signed", '{"action":"create"}', "forbidden"),
        ("a timestamp that stands elsewhere, signed", '{"data":{"webhookTimestamp":1677611643000}}', "forbidden"),
        *((name, stamped(text), expect) for name, text, expect in [
            ("exactly as old as the tolerance", 1677611583000, "valid"),
            ("one millisecond older than the tolerance", 1677611582999, "timestamp"),
            ("exactly as far ahead as the tolerance", 1677611703000, "valid"),
            ("one second further ahead than the tolerance", 1677611704000, "timestamp"),
            ("seconds in place of milliseconds", 1677611643, "timestamp"),
            ("a timestamp before the epoch", -1, "timestamp"),
            ("a timestamp beyond 64 bits", 2**63, "forbidden"),
            ("a timestamp with decimals", "1677611643000.5", "forbidden"),
            ("a timestamp with an exponent", "1677611643e3", "forbidden"),
            ("a timestamp that is null", "null", "forbidden"),
            ("a timestamp of RFC 3339", '"2023-02-28T19:14:03Z"', "forbidden"),
            ("an empty timestamp", '""', "forbidden"),
        ]),
    ])
    rows.add("stale, and signed with another secret", {"Linear-Signature": sign("another", stamped(0))}, "signature", body=stamped(0), note="nothing is said of a body that is not genuine")
    rows.add("a timestamp in a header, which is not read", {"Linear-Signature": answer, "Linear-Timestamp": "0"})
    rows.add("the headers that are not signed", {"Linear-Signature": answer, "Linear-Delivery": "234d1a4e-b617-4388-90fe-adc3633d6b72", "Linear-Event": "Issue"})
    rows.write("linear")


def klaviyo():
    webhook, at = "01HM6J0D4QCSZ4SNB2VQ7XGQ6T", "2024-01-15T10:30:00+00:00"
    doc = {"data": [{"external_id": "4vyhCBJ6U8x", "payload": {"data": {"type": "event", "id": "4vyhCBJ6U8x", "attributes": {"timestamp": 1705314590, "uuid": "4d2b6f00-b38e-11ee-8001-1d4e0b2f6b3a"}}}, "topic": "event:klaviyo.email_delivered"}], "meta": {"klaviyo_account_id": "ABC123", "klaviyo_webhook_id": webhook, "timestamp": at}}
    rows = Vectors("a secret of at least sixteen characters", compact(doc))
    stamp, header, id_header = "Klaviyo-Timestamp", "Klaviyo-Signature", "Klaviyo-Webhook-Id"
    source = "the secret, payload and headers of nickdnk/klaviyo-php-sdk, its tests of parseWebhookRequest"
    sdk = compact({"meta": {"timestamp": "2026-04-13T22:50:12.101159+00:00", "klaviyo_webhook_id": "01KP4928STE8FKCWB6WDHZ4ZB7", "klaviyo_account_id": "WBhXHN", "version": "2024-06-28"}, "data": [{"topic": "event:klaviyo.unsubscribed_from_email_marketing", "external_id": "73WCCK7JKtE", "payload": {"data": {"id": "73WCCK7JKtE", "type": "event", "attributes": {"timestamp": 1776118606, "event_properties": {"email_address": "foo@bar.com"}}}}}]})
    local, now = "Tue, 14 Apr 2026 03:50:12 GMT", 1776120630
    signed = {header: sign("mysecret", sdk + local), stamp: local}
    rows.add("the SDK's test: the header is five hours from the body's time", signed, source=source, secret="mysecret", body=sdk, now=now)
    rows.add("the SDK's test: the webhook's id beside it", {**signed, id_header: "01KP4928STE8FKCWB6WDHZ4ZB7"}, source=source, secret="mysecret", body=sdk, now=now)
    iso = "2026-04-13T22:49:36+00:00"
    rows.add("the SDK's test: a header in RFC 3339", {header: sign("mysecret", sdk + iso), stamp: iso}, source=source, secret="mysecret", body=sdk, now=now)
    rows.add("the SDK's test: a wrong signature", {**signed, header: "wrong"}, "malformed_header", source=source, secret="mysecret", body=sdk, now=now)
    rows.add("the SDK's test: no signature", {}, "missing_header", source=source, secret="mysecret", body="{}", now=now)
    rows.add("the SDK's test: a body that is no JSON", {header: sign("mysecret", "not json" + iso), stamp: iso}, "forbidden", source=source, secret="mysecret", body="not json", now=now)

    scheme = Scheme(rows, header, lambda body, timestamp: joined(body, timestamp), "Mon, 15 Jan 2024 05:30:00 GMT", beside=lambda timestamp: {stamp: timestamp})
    stamped = lambda text: f'{{"meta":{{"timestamp":{text}}},"text":"\u00e9, \U0001f980"}}'
    dated = lambda text: stamped(f'"{text}"')
    scheme.essentials(bodies=[
        ("a body beyond ASCII", dated(at), "valid"),
        ("a body that is not UTF-8, behind its timestamp", b'{"meta":{"timestamp":"2024-01-15T10:30:00Z"},"text":"\xff\xfe"}', "forbidden"),
        ("an empty body, signed", "", "forbidden"),
        ("a body that is no JSON, signed", "timestamp=2024-01-15T10:30:00Z", "forbidden"),
        ("a body with a blank behind it, signed", dated(at) + " ", "forbidden"),
        ("a body without a timestamp, signed", '{"meta":{}}', "forbidden"),
        ("a timestamp that stands elsewhere, signed", '{"timestamp":"2024-01-15T10:30:00Z"}', "forbidden"),
        *((name, dated(text), expect) for name, text, expect in [
            ("as old as Klaviyo is taken to retry", "2024-01-12T10:30:00Z", "valid"),
            ("one second older than that", "2024-01-12T10:29:59Z", "timestamp"),
            ("as far ahead as the tolerance", "2024-01-15T10:35:00Z", "valid"),
            ("one second further ahead than the tolerance", "2024-01-15T10:35:01Z", "timestamp"),
            ("a timestamp with six decimals", "2024-01-15T10:30:00.101159+00:00", "valid"),
            ("a timestamp with an offset", "2024-01-15T12:00:00+01:30", "valid"),
            ("a timestamp without a zone", "2024-01-15T10:30:00", "forbidden"),
            ("a timestamp as HTTP writes dates", "Mon, 15 Jan 2024 10:30:00 GMT", "forbidden"),
            ("an empty timestamp", "", "forbidden"),
        ]),
        ("unix seconds", stamped(NOW), "forbidden"),
        ("a timestamp that is null", stamped("null"), "forbidden"),
    ])
    scheme.timestamp_header(stamp)
    scheme.timestamps([(f"the signed header holds {what}", text, "valid") for what, text in [
        ("the time in GMT", "Mon, 15 Jan 2024 10:30:00 GMT"),
        ("a time of long ago", formatdate(0, usegmt=True)),
        ("a wrong day of the week", "Tue, 15 Jan 2024 10:30:00 GMT"),
        ("unix seconds", str(NOW)),
        ("RFC 3339", RFC3339),
        ("no time at all", "hello"),
    ]])
    scheme.timestamps([("the signed header is empty", "", "missing_header")])
    scheme.other_timestamp("Mon, 15 Jan 2024 10:30:01 GMT")
    rows.add("the end of the body moved into the header", {**scheme.with_text(scheme.signature()), stamp: rows.body[-1] + scheme.timestamp}, "forbidden", body=rows.body[:-1], note="the signature is right: such a body is no JSON text")
    rows.add("the timestamp before the body", scheme.with_text(sign(rows.secret, joined(scheme.timestamp, rows.body))), "signature")
    genuine = scheme.headers()
    rows.add("the webhook's id beside it, which is not signed", {**genuine, id_header: webhook})
    rows.add("another webhook's id beside it", {**genuine, id_header: webhook[:-1] + "U"}, "forbidden", note="Klaviyo's page: this indicates potential malicious activity")
    rows.add("the webhook's id in other case", {**genuine, id_header: webhook.lower()}, "forbidden")
    rows.add("a webhook's id beside a body that has none", {**scheme.headers(dated(at)), id_header: webhook}, "forbidden", body=dated(at))
    rows.add("the webhook's id twice, with two values", [*map(list, genuine.items()), [id_header, webhook], [id_header, "x"]], "repeated_header")
    rows.write("klaviyo")


def twitch():
    published = '{"subscription":{"id":"ae2ff348-e102-16be-a3eb-6830c1bf38d2","status":"enabled","type":"channel.follow","version":"1","condition":{"broadcaster_user_id":"44429626"},"transport":{"method":"webhook","callback":"null"},"created_at":"2021-02-19T23:47:00.7621315Z"},"event":{"user_id":"28408015","user_login":"testFromUser","user_name":"testFromUser","broadcaster_user_id":"44429626","broadcaster_user_login":"44429626","broadcaster_user_name":"testBroadcaster"}}'
    names = "Twitch-Eventsub-Message-"
    rows, header, stamp, id_header = Vectors("secretabcd", published), names + "Signature", names + "Timestamp", names + "Id"
    message, then, now = "ae2ff348-e102-16be-a3eb-6830c1bf38d2", "2021-02-19T23:47:00.8091512Z", 1613778420
    answer, source = "d10f5bd9474b7ac7bd7105eb79c2d52768b4d0cd2a135982c3bf5a1d59a78823", "twitch-rs/twitch_api, src/eventsub/mod.rs"
    assert sign(rows.secret, message + then + published) == answer
    headers = {id_header: message, names + "Retry": "0", header: f"sha256={answer}", stamp: then, names + "Type": "notification", "Twitch-Eventsub-Subscription-Type": "channel.follow", "Twitch-Eventsub-Subscription-Version": "1"}
    rows.add("known answer: genuine", headers, source=source, now=now)
    rows.add("known answer: as old as the tolerance", headers, source=source, now=now + 600)
    rows.add("known answer: stale", headers, "timestamp", source=source, now=now + 601)
    rows.add("known answer: another secret", headers, "signature", source=source, now=now, secret="secretabce")
    scheme = Scheme(rows, header, lambda body, timestamp: joined(message, timestamp, body), RFC3339, wrap=lambda text, _: "sha256=" + text, beside=lambda timestamp: {id_header: message, stamp: timestamp})
    scheme.essentials(bodies=JSON_BODIES)
    scheme.prefixed("sha256=", ("sha1=", "v0="))
    scheme.timestamp_header(stamp)
    scheme.timestamps(rfc3339(600, ("2024-01-15T10:20:00Z", "2024-01-15T10:19:59Z", "2024-01-15T10:40:00Z", "2024-01-15T10:40:01Z")))
    scheme.other_timestamp("2024-01-15T10:30:01Z")
    for what, body in (("that is no JSON", "0" + rows.body), ("that is a JSON text and no object", '"Z"'), ("with a blank before it", " " + rows.body)):
        rows.add(f"a body {what}, signed so", scheme.headers(body), "forbidden", body=body, note="nothing separates the body from the timestamp, so the body must show where it starts")
    for what, inner in (("a text", "Z{"), ("an object", 'Z{"a":1}')):
        within = '{"subscription":{"type":"channel.follow"},"event":{"user_name":"2024-01-15T10:31:00' + inner.replace('"', '\\"') + '"}}'
        at = within.index("2024-")
        moved = {**scheme.headers(within), id_header: message + RFC3339 + within[:at], stamp: within[at : at + 20]}
        rows.add(f"a time within the body, before {what}, read as the timestamp", moved, "forbidden", body=within[at + 20 :], note="the same content, and so the same signature, cut elsewhere: what is left is not one JSON object or array")
    genuine = scheme.headers()
    pairs = [list(pair) for pair in genuine.items()]
    rows.add("another id than was signed", {**genuine, id_header: message[:-1] + "3"}, "signature")
    rows.add("no id", {name: value for name, value in genuine.items() if name != id_header}, "missing_header")
    rows.add("the id twice, with one value", [*pairs, [id_header.lower(), message]])
    rows.add("the id twice, with different values", [*pairs, [id_header, message + "3"]], "repeated_header")
    rows.add("the id's end moved into the timestamp", {**genuine, id_header: message[:-1], stamp: message[-1] + RFC3339}, "malformed_header")
    rows.add("the timestamp's start moved into the id", {**genuine, id_header: message + RFC3339[0], stamp: RFC3339[1:]}, "malformed_header")
    body = '{"challenge":"pogchamp-kappa-360noscope-vohiyo","subscription":{"id":"f1c2a387-161a-49f9-a165-0f21d7a4e1c4","status":"webhook_callback_verification_pending","type":"channel.follow","version":"1","cost":1,"condition":{"broadcaster_user_id":"12826"},"transport":{"method":"webhook","callback":"https://example.com/webhooks/callback"},"created_at":"2019-11-16T10:11:12.634234626Z"}}'
    rows.add("a request to verify the URL", {**scheme.headers(body), names + "Type": "webhook_callback_verification"}, body=body)
    rows.write("twitch")


def discord():
    private = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = lambda key: key.public_key().public_bytes_raw().hex()
    another = public(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
    doc = {"app_permissions": "562949953601536", "application_id": "989195982531096616", "entitlements": [], "id": "1309112315525992459", "token": "unique_interaction_token", "type": 1, "user": {"id": "643945264868098049", "username": "discord"}, "version": 1}
    rows = Vectors(public(private), compact(doc))
    rfc = ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
    assert rfc.sign(b"\x72").hex() == "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00", "RFC 8032, section 7.1, test 2"
    header, stamp = "X-Signature-Ed25519", "X-Signature-Timestamp"
    add, pairs, good = public_key_rows(rows, header, stamp, private.sign, bytes.hex, rows.secret, another)
    raw = bytes.fromhex(good)
    scalar = int.from_bytes(raw[32:], "little")
    add("upper-case hexadecimal", pairs(good.upper()))
    add("the key in upper-case hexadecimal", pairs(good), secret=rows.secret.upper())
    add("one changed bit in the signature's first half", pairs(flip_hex(good, 3)), "signature")
    add("one changed bit in the signature's second half", pairs(flip_hex(good, 80)), "signature")
    add("a second spelling of the signature's scalar", pairs((raw[:32] + (scalar + ORDER_OF_ED25519).to_bytes(32, "little")).hex()), "signature", note="RFC 8032, section 5.1.7: the scalar is below the order of the group")
    add("zeros for a signature", pairs("0" * 128), "signature")
    add("an HMAC of the public key", pairs(sign(rows.secret, joined(NOW, rows.body), hashlib.sha512)), "signature", note="the key is public, so that anybody can compute this")
    for what, text in [("a byte too few", good[:-2]), ("a byte too many", good + "00"), ("half", good[:64]), ("a digit too few", good[:-1]), ("a stray character", good[:-1] + "g"), ("a blank before it", " " + good), ("a blank after it", good + " "), ("the mark 0x", "0x" + good[2:]), ("base64 in place of hexadecimal", base64_of(raw)), ("a character of several bytes", good[:-2] + "é")]:
        add(f"malformed: {what}", pairs(text), "malformed_header")
    for what, secret in [("a byte too few", rows.secret[:-2]), ("a byte too many", rows.secret + "00"), ("no hexadecimal", "z" * 64), ("base64", base64_of(bytes.fromhex(rows.secret))), ("no point of the curve", "02" + "00" * 31)]:
        add(f"a key that is none: {what}", pairs(good), "secret", secret=secret)
    event = '{"version":1,"application_id":"1234560123453231555","type":1,"event":{"type":"APPLICATION_AUTHORIZED","timestamp":"2024-10-18T14:42:53.064834","data":{"integration_type":1,"scopes":["applications.commands"],"user":{"id":"1234567890"}}}}'
    add("an event", pairs(private.sign(joined(NOW, event)).hex()), body=event)
    rows.write("discord")


def sendgrid():
    key = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
    signature = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
    other_key, other_signature = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqTxd43gyp8IOEto2LdIfjRQrIbsd4SXZkLW6jDutdhXSJCWHw8REntlo7aNDthvj+y7GjUuFDb/R1NGe1OPzpA==", "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH3j/0="
    events = [{"email": "hello@world.com", "event": "dropped", "reason": "Bounced Address", "sg_event_id": "ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA", "sg_message_id": "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0", "smtp-id": "<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>", "timestamp": 1600112492}]
    published = compact(events) + "\r\n"
    private = ec.derive_private_key(0x7F3A91C4, ec.SECP256R1())
    public = lambda key, form=serialization.PublicFormat.SubjectPublicKeyInfo: key.public_key().public_bytes(serialization.Encoding.DER, form)
    another = base64_of(public(ec.derive_private_key(0x7F3A91C5, ec.SECP256R1())))
    rows = Vectors(base64_of(public(private)), published)
    header, stamp = "X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp"
    python, go = "sendgrid/sendgrid-python, test/unit/test_eventwebhook.py", "sendgrid/sendgrid-go, helpers/eventwebhook/eventwebhook_test.go"
    check = lambda key, signature, content: serialization.load_der_public_key(base64.b64decode(key)).verify(base64.b64decode(signature), content, ec.ECDSA(hashes.SHA256()))
    check(key, signature, joined("1600112502", published))
    answer = {header: signature, stamp: "1600112502"}
    known = lambda name, headers, expect="valid", source=python, **fields: rows.add(f"known answer: {name}", headers, expect, source=source, **{"secret": key, "now": 1600112502, **fields})
    known("genuine", answer)
    known("another key", answer, "signature", secret=other_key)
    known("another body", answer, "signature", body="payload")
    known("the line end cut off", answer, "signature", body=published.rstrip())
    known("another signature", {**answer, header: other_signature}, "signature")
    known("a timestamp that is none", {**answer, stamp: "timestamp"}, "malformed_header")
    known("stale", answer, "timestamp", now=1600112803)
    go_key, go_signature = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBcepxo7yAQGhHPTnlvFYPAZFceEu/1FwCM/QmGUhA==", "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH2j/0="
    go_body = '{"category":"example_payload","event":"test_event","message_id":"message_id"}'
    check(go_key, go_signature, joined("1588788367", go_body))
    of_go = {header: go_signature, stamp: "1588788367"}
    known("a second one", of_go, source=go, secret=go_key, body=go_body, now=1588788367)
    known("a second one, with something behind its signature", {**of_go, header: go_signature + "causing failure"}, "malformed_header", source=go, secret=go_key, body=go_body, now=1588788367)
    known("a second one, with an empty timestamp", {**of_go, stamp: ""}, "malformed_header", source=go, secret=go_key, body=go_body, now=1588788367)
    signed = lambda content: private.sign(content, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    add, pairs, good = public_key_rows(rows, header, stamp, signed, base64_of, rows.secret, another)
    raw = base64.b64decode(good)
    r, s = decode_dss_signature(raw)
    pair = lambda r, s: base64_of(encode_dss_signature(r, s))
    add("the other signature of the pair", pairs(pair(r, ORDER_OF_P256 - s)), note="both are genuine: the provider does not choose the lower one")
    add("one changed bit in the signature", pairs(pair(r ^ 1, s)), "signature")
    add("its numbers swapped", pairs(pair(s, r)), "signature")
    for what, text in [("nothing for its first number", pair(0, s)), ("nothing for its second number", pair(r, 0)), ("the group's order for its second number", pair(r, ORDER_OF_P256)), ("a second spelling of its second number", pair(r, s + ORDER_OF_P256)), ("the two numbers without DER", base64_of(r.to_bytes(32) + s.to_bytes(32))), ("a byte behind it", base64_of(raw + b"\0")), ("a byte too few", base64_of(raw[:-1])), ("hexadecimal", raw.hex()), ("base64 without its padding", good.rstrip("=") if good.endswith("=") else good[:-1]), ("a blank after it", good + " "), ("no DER", base64_of(b"\x31" + raw[1:]))]:
        add(f"malformed: {what}", pairs(text), "malformed_header")
    for hash in (hashes.SHA1(), hashes.SHA384()):
        add(f"signed over {hash.name} in place of SHA-256", pairs(base64_of(private.sign(joined(NOW, rows.body), ec.ECDSA(hash, deterministic_signing=True)))), "signature")
    larger = ec.derive_private_key(0x7F3A91C4, ec.SECP384R1())
    add("signed on another curve", pairs(base64_of(larger.sign(joined(NOW, rows.body), ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))), "malformed_header")
    add("an HMAC of the public key", pairs(base64_of(bytes.fromhex(sign(rows.secret, joined(NOW, rows.body))))), "malformed_header", note="the key is public, so that anybody can compute this")
    pem = private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    add("the key as the bare point", pairs(good), secret=base64_of(public(private)[-65:]))
    for what, secret in [("a key of another curve", base64_of(public(larger))), ("a byte too few", base64_of(public(private)[:-1])), ("half a point", base64_of(public(private)[-64:-32])), ("no base64", "not a key"), ("a point that is not on the curve", base64_of(public(private)[:-1] + bytes([public(private)[-1] ^ 1]))), ("PEM", pem)]:
        add(f"a key that is none: {what}", pairs(good), "secret", secret=secret)
    rows.write("sendgrid")


if __name__ == "__main__":
    for write in (standard_webhooks, svix, clerk, resend, stripe, slack, zoom, customer_io, paddle, calendly, recurly, zendesk, hubspot, linear, klaviyo, twitch, discord, sendgrid):
        write()
