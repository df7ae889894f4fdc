#!/usr/bin/env python3
"""Writes the vectors of providers that sign the body alone, or show a token or a credential."""

import base64
import hashlib
import hmac
import json

from body import Body, other_order
from length_extension import extend, padding
from rows import NOW, OURS, Vectors, as_bytes, bad_hex, compact, flip, flip_hex, sign
from schemes import OTHER_WHSEC, WHSEC, MessageScheme
from shown import encoded, shows_a_credential, shows_a_token


def github():
    body = '{"action":"opened","issue":{"url":"https://api.github.com/repos/octocat/Hello-World/issues/1347","number":1347},"repository":{"id":1296269,"full_name":"octocat/Hello-World","owner":{"login":"octocat","id":1}},"sender":{"login":"octocat","id":1}}'
    rows = Vectors("It's a Secret to Everybody", body)
    header, kind, delivery = "X-Hub-Signature-256", "X-GitHub-Event", "X-GitHub-Delivery"
    page = "https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries"
    tests = "octokit/webhooks-methods.js, test/verify.test.ts"
    for name, source, secret, text, answer in [
        ("a known answer", page, "It's a Secret to Everybody", "Hello, World!", "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"),
        ("a known answer, of an object", tests, "mysecret", '{"foo":"bar"}', "4864d2759938a15468b5df9ade20bf161da9b4f737ea61794142f3484236bda3"),
        ("a known answer, beyond ASCII", tests, "development", '{"foo":"Foo\\n\\u001B[34mbar: ♥♥♥♥♥♥♥♥\\nthis-is-lost\\u001B[0m\\u001B[2K"}', "afecc3caa27548bb90d51a50384cb2868b9a3327b4ad6a01c9bd4ed0f8b0b12c"),
        ("a known answer, of an escaped backslash", tests, "development", '{"foo":"\\\\u001b"}', "6f8326efbacfbd04e870cea25b5652e635be8c9807f2fd5348ef60753c9e96ed"),
    ]:
        assert sign(secret, text) == answer, name
        rows.add(name, {header: "sha256=" + answer}, source=source, secret=secret, body=text)
    known = "sha256=4864d2759938a15468b5df9ade20bf161da9b4f737ea61794142f3484236bda3"
    rows.add("a known answer, of another secret", {header: known}, "signature", source=tests, secret="foo", body='{"foo":"bar"}')
    rows.add("a known answer, in place of which stands a word", {header: "foo"}, "malformed_header", source=tests, secret="mysecret", body='{"foo":"bar"}')
    unsigned = {kind: "issues", delivery: "72d3162e-cc78-11e3-81ab-4c9367dc0958"}
    Body(rows, header, "sha256=", others=unsigned.items()).around()
    good = "sha256=" + sign(rows.secret, body)
    sha1 = "sha1=" + sign(rows.secret, body, hashlib.sha1)
    rows.add("beside the signature of SHA-1", {header: good, "X-Hub-Signature": sha1, **unsigned})
    rows.add("beside a wrong signature of SHA-1", {header: good, "X-Hub-Signature": "sha1=" + "0" * 40, **unsigned})
    rows.add("the signature of SHA-1 alone", {"X-Hub-Signature": sha1, **unsigned}, "missing_header", note="the page keeps it for old receivers; it is not taken")
    rows.add("no fallback: a genuine SHA-1 beside a wrong SHA-256", {header: "sha256=" + "0" * 64, "X-Hub-Signature": sha1}, "signature")
    rows.add("without the unsigned headers", {header: good}, note="genuine; it has no kind")
    rows.add("other unsigned headers than were sent", {header: good, kind: "ping", delivery: "1"}, note="they are not signed; the dedupe keys see to it")
    rows.add("the kind twice, with one value", [[header, good], [kind, "issues"], [kind, "issues"]])
    rows.add("the kind twice, with two values", [[header, good], [kind, "issues"], [kind, "push"]], "repeated_header")
    rows.add("the delivery's id twice, with two values", [[header, good], [delivery, "a"], [delivery, "b"]], "repeated_header")
    form = "payload=%7B%22zen%22%3A%22Keep+it+logically+awesome.%22%7D"
    rows.add("a body as a form", {header: "sha256=" + sign(rows.secret, form), **unsigned}, body=form, note="the other content type that a webhook can be set to")
    rows.write("github")


def shopify():
    body = '{"id":820982911946154508,"admin_graphql_api_id":"gid:\\/\\/shopify\\/Order\\/820982911946154508","email":"jon@example.com","created_at":"2021-12-31T19:00:00-05:00","currency":"USD","total_price":"398.00","test":true}'
    rows = Vectors("hush", body)
    header, topic, event = "X-Shopify-Hmac-Sha256", "X-Shopify-Topic", "X-Shopify-Event-Id"
    crate = "the tests of a public crate, webhook-verify; Shopify's pages publish no answer"
    for name, text, answer in [
        ("a known answer", "Hello, World!", "dXEH6g6yUJ/CESIczphLijdXC211hsIsRvQ3nIsEPhc="),
        ("a known answer, of an empty body", "", "ZqDAdN6qD0ierWU34NMvmjRLkLvtpwW27UXs07QT+0A="),
        ("a known answer, beyond ASCII", "héllo, \U0001f980 world!", "gVdy+Iv4lQx0V7V4VvSzPKnQfn73pQZGsGe0phP3NcQ="),
    ]:
        assert encoded(bytes.fromhex(sign("It's a Secret to Everybody", text))) == answer, name
        rows.add(name, {header: answer}, source=crate, secret="It's a Secret to Everybody", body=text)
    unsigned = {topic: "orders/create", "X-Shopify-Shop-Domain": "shop.myshopify.com", "X-Shopify-API-Version": "2025-01", "X-Shopify-Webhook-Id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043", "X-Shopify-Triggered-At": "2023-03-29T18:00:27.877041743Z", event: "98880550-7158-44d4-b7cd-2c97c8a091b5"}
    scheme = Body(rows, header, encoding="base64", others=unsigned.items())
    scheme.around()
    good = scheme.good
    rows.add("without the unsigned headers", {header: good}, note="genuine; it has no kind")
    rows.add("other unsigned headers than were sent", {header: good, topic: "orders/paid", event: "1"}, note="they are not signed; one endpoint a topic closes that gap")
    rows.add("the topic twice, with one value", [[header, good], [topic, "orders/create"], [topic, "orders/create"]])
    rows.add("the topic twice, with two values", [[header, good], [topic, "orders/create"], [topic, "orders/paid"]], "repeated_header")
    rows.add("a topic is configured", {header: good, **unsigned}, kind="orders/create")
    rows.add("a topic is configured, and none is sent", {header: good}, kind="orders/create")
    rows.add("the webhook's id twice, with two values", [[header, good], ["X-Shopify-Webhook-Id", "a"], ["X-Shopify-Webhook-Id", "b"]], "repeated_header")
    newer = {"Shopify-Hmac-Sha256": scheme.good, "Shopify-Topic": "orders/create", "Shopify-Webhook-Id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"}
    source = "the names of https://shopify.dev/docs/apps/build/events/verify-deliveries"
    rows.add("the newer names: genuine", newer, source=source)
    rows.add("the newer names: another secret", {**newer, "Shopify-Hmac-Sha256": scheme.sign(rows.body, b"another secret")}, "signature", source=source)
    rows.add("the newer names: malformed", {**newer, "Shopify-Hmac-Sha256": "x"}, "malformed_header", source=source)
    rows.add("the newer names: a changed body", newer, "signature", source=source, body=flip(rows.body))
    older = {f"X-{name}": value for name, value in newer.items()}
    rows.add("both names, with one set of values", {**older, **newer}, source=source)
    for name in newer:
        rows.add(f"both names, with another {name}", {**older, **newer, name: "x"}, "repeated_header", source=source, note="neither of two values is the one that was sent")
        rows.add(f"the older names, and {name} of the newer with another value", {**older, name: "x"}, "repeated_header", source=source)
    rows.write("shopify")


def square():
    body = '{"merchant_id":"6SSW7HV8K2ST5","type":"payment.created","event_id":"13b867cf-db3d-4b1c-90b6-2f32a9d78124","created_at":"2020-02-06T21:27:34.308Z","data":{"type":"payment","id":"KkAkhdMsgzn59SM8A89WgKwekxLZY","object":{"payment":{"amount_money":{"amount":100,"currency":"USD"},"status":"APPROVED"}}}}'
    rows = Vectors("asdf1234", body)
    header, url = "x-square-hmacsha256-signature", "https://example.com/webhook"
    page = "https://developer.squareup.com/docs/webhooks/step3validate"
    crate = "the tests of a public crate, webhook-verify"
    for name, source, text, answer in [
        ("a known answer", page, '{"hello":"world"}', "2kRE5qRU2tR+tBGlDwMEw2avJ7QM4ikPYD/PJ3bd9Og="),
        ("a known answer, of an empty body", crate, "", "ynbHtv7mmd+3xVChP9MsT9iQ4vULFz7Gx8Sq9SZy4QM="),
        ("a known answer, beyond ASCII", crate, "héllo, \U0001f980 world!", "kRB6TPxZKvkPG92MGNd+qTSjhIhhb1KBL3mc/6moa4A="),
    ]:
        assert encoded(bytes.fromhex(sign("asdf1234", url + text))) == answer, name
        rows.add(name, {header: answer}, source=source, body=text, public_url=url)
    scheme = Body(rows, header, encoding="base64", content=lambda body: as_bytes(url) + as_bytes(body), public_url=url)
    scheme.around()
    for what, other in [
        ("another path", "https://example.com/webhooks"),
        ("another host", "https://example.org/webhook"),
        ("no TLS", "http://example.com/webhook"),
        ("a slash more", url + "/"),
        ("a query", url + "?a=1"),
        ("a port", "https://example.com:443/webhook"),
        ("other case", "https://Example.com/webhook"),
    ]:
        rows.add(f"another URL than was signed: {what}", {header: scheme.good}, "signature", public_url=other)
        rows.add(f"what headers say of the URL is not read: {what}", {header: scheme.good, "X-Forwarded-Host": "example.org", "X-Forwarded-Proto": "http", "X-Original-Url": other}, public_url=url)
    mac = lambda content, algorithm=hashlib.sha256: encoded(hmac.new(rows.secret.encode(), content.encode(), algorithm).digest())
    rows.add("the body alone signed", {header: mac(body)}, "signature", public_url=url)
    rows.add("the URL behind the body", {header: mac(body + url)}, "signature", public_url=url)
    rows.add("the URL and the body signed with a line end between", {header: mac(url + "\n" + body)}, "signature", public_url=url)
    rows.add("no URL is configured", {header: scheme.good}, "setting")
    rows.add("a URL without a scheme is configured", {header: scheme.good}, "setting", public_url="example.com/webhook")
    rows.add("the older header, of SHA-1", {"x-square-signature": mac(url + body, hashlib.sha1)}, "missing_header", public_url=url)
    rows.write("square")


def meta():
    doc = {"entry": [{"time": 1520383571, "changes": [{"field": "photos", "value": {"verb": "update", "object_id": "10211885744794461"}}], "id": "10210299214172187", "uid": "10210299214172187"}], "object": "user"}
    rows = Vectors("app secret", compact(doc))
    of_meta(rows)
    rows.write("meta")


def whatsapp():
    doc = {"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": [{"value": {"messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"}, "messages": [{"from": "16505551234", "id": "wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA=", "timestamp": "1749416383", "type": "text", "text": {"body": "Does it come in another color?"}}]}, "field": "messages"}]}]}
    rows = Vectors("app secret", compact(doc))
    of_meta(rows)
    rows.write("whatsapp")


def of_meta(rows):
    """What Meta's products share."""
    header = "X-Hub-Signature-256"
    rows.add("a known answer of the rule", {header: "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}, source="the documented rule; the answer is GitHub's, whose header and rule are the same", secret="It's a Secret to Everybody", body="Hello, World!")
    Body(rows, header, "sha256=").around()
    good = "sha256=" + sign(rows.secret, rows.body)
    sha1 = "sha1=" + sign(rows.secret, rows.body, hashlib.sha1)
    rows.add("beside the signature of SHA-1", {header: good, "X-Hub-Signature": sha1}, note="both are sent")
    rows.add("the signature of SHA-1 alone", {"X-Hub-Signature": sha1}, "missing_header")
    escaped, plain = '{"text":"\\u00e4\\u00f6\\u00e5"}', '{"text":"äöå"}'
    rows.add("characters beyond ASCII escaped, as they are sent", {header: "sha256=" + sign(rows.secret, escaped)}, body=escaped)
    rows.add("characters beyond ASCII unescaped on the way", {header: "sha256=" + sign(rows.secret, escaped)}, "signature", body=plain, note="the page signs the escaped text, and sends it so")


def hubspot_v1():
    body = '[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW","appId":54321}]'
    secret = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
    rows = Vectors(secret, body)
    header = "X-HubSpot-Signature"
    ours = OURS.replace("hmac", "hashlib")
    digest = lambda content, key=secret: hashlib.sha256(as_bytes(key) + as_bytes(content)).hexdigest()
    add = lambda name, headers, expect="valid", source=ours, **fields: rows.add(name, headers, expect, source, **fields)
    good = digest(body)
    assert good == "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de"
    v2 = '{"example_field":"example_value"}'
    of_v2 = digest("POSThttps://www.example.com/webhook_uri" + v2)
    assert of_v2 == "9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900"
    add("a known answer", {header: good}, source="https://legacydocs.hubspot.com/docs/faq/v1-request-validation")
    page = "https://legacydocs.hubspot.com/docs/faq/v2-request-validation"
    add("a known answer, of version 2", {header: of_v2, "X-HubSpot-Signature-Version": "v2"}, "signature", page, body=v2, note="it signs the method and the URL as well, in the same header")
    add("a known answer, of version 2, with what it signs as the body", {header: of_v2}, "forbidden", page, body="POSThttps://www.example.com/webhook_uri" + v2, note="the digest is right, and the body is no JSON text")
    add("the version is named", {header: good, "X-HubSpot-Signature-Version": "v1"})
    add("upper-case hexadecimal", {header: good.upper()})
    add("the header's name in capitals", {header.upper(): good})
    add("the header twice, with one value", [[header, good], [header.lower(), good]])
    add("the header twice, the genuine value first", [[header, good], [header, flip_hex(good)]], "repeated_header")
    add("the header twice, the genuine value last", [[header, flip_hex(good)], [header, good]], "repeated_header")
    add("no header", {}, "missing_header")
    add("the header of version 3 alone", {"X-HubSpot-Signature-V3": good, "X-HubSpot-Request-Timestamp": "1705314600000"}, "missing_header")
    add("a header of a longer name", {header + "s": good}, "missing_header")
    add("an empty header", {header: ""}, "malformed_header")
    add("a prefix", {header: "sha256=" + good}, "malformed_header")
    add("another secret", {header: digest(body, "another secret")}, "signature")
    add("the secret with a line end", {header: digest(body, secret + "\n")}, "signature")
    add("no secret", {header: digest(body, "")}, "signature")
    add("two live secrets, signed with the first", {header: good}, secrets=[secret, "another secret"])
    add("two live secrets, signed with the second", {header: good}, secrets=["another secret", secret])
    add("two live secrets, signed with neither", {header: good}, "signature", secrets=["one", "the other"])
    add("one changed bit in the body", {header: good}, "signature", body=flip(body))
    add("a byte more in the body", {header: good}, "signature", body=body + "\n")
    add("a byte less in the body", {header: good}, "signature", body=body[:-1])
    add("no body", {header: good}, "signature", body="")
    add("a body with its keys in another order", {header: good}, "signature", body=compact(other_order(json.loads(body))), note="re-serialised: the bytes on the wire are what is signed")
    add("the first byte of the body moved into the secret", {header: good}, "signature", body=body[1:])
    add("one changed bit in the signature", {header: flip_hex(good, 40)}, "signature")
    add("the HMAC of the body", {header: sign(secret, body)}, "signature")
    add("the secret behind the body", {header: hashlib.sha256((body + secret).encode()).hexdigest()}, "signature")
    add("the digest of SHA-1", {header: hashlib.sha1((secret + body).encode()).hexdigest()}, "malformed_header")
    for what, text in bad_hex(good):
        add(f"malformed: {what}", {header: text}, "malformed_header")
    for what, text, expect in [
        ("blanks around", f" \r\n{body}\t", "valid"),
        ("an object", '{"id":1}', "valid"),
        ("no byte", "", "forbidden"),
        ("one text and another", body + body, "forbidden"),
        ("one text and a comma", body + ",", "forbidden"),
        ("a text cut off", body[:-1], "forbidden"),
        ("one text and a NUL", body + "\0", "forbidden"),
        ("a string of bytes that are not UTF-8", b'{"a":"\xff"}', "forbidden"),
        ("one text and the first byte of a padding", body.encode() + b"\x80", "forbidden"),
        ("a byte order mark", b"\xef\xbb\xbf" + body.encode(), "forbidden"),
    ]:
        add(f"signed, with a body of {what}", {header: digest(text)}, expect, body=text)
    for suffix in [b"", b'[{"eventId":2}]', b"," * 200]:
        forged, extended = extend(good, len(secret) + len(body), suffix)
        text = body.encode() + forged
        assert extended == digest(text), "the extension is the digest that the secret's holder would compute"
        name = f"length extension by {len(suffix)} bytes"
        add(name, {header: extended}, "forbidden", body=text, note="the digest is right, and was made without the secret: the body is no JSON text")
        add(f"{name}, of a secret of another length", {header: extended}, "signature", body=body.encode() + padding(len(secret) + 1 + len(body)) + suffix)
    rows.write("hubspot_v1")


def intercom():
    doc = {"type": "notification_event", "id": "notif_78c122d0-23ba-11e4-9464-79b01267cc2e", "topic": "user.created", "app_id": "a86dr8yl", "data": {"type": "notification_event_data", "item": {"type": "user", "id": "530370b477ad7120001d", "user_id": "25", "name": "Hoban Washburne", "unsubscribed_from_emails": False, "custom_attributes": {}}}}
    rows = Vectors("client secret", compact(doc))
    header = "X-Hub-Signature"
    rows.add("the page's example, whose secret it does not tell", {header: "sha1=21ff2e149e0fdcac6f947740f6177f6434bda921"}, "signature", source="https://developers.intercom.com/intercom-api-reference/v1.0/reference/signed-notifications")
    Body(rows, header, "sha1=", "HMAC-SHA1").around()
    rows.add("the signature of SHA-256 in a header of its own", {"X-Hub-Signature-256": "sha256=" + sign(rows.secret, rows.body)}, "missing_header")
    rows.write("intercom")


def typeform():
    doc = {"event_id": "LtWXD3crgy", "event_type": "form_response", "form_response": {"form_id": "lT4Z3j", "token": "a3a12ec67a1365927098a606107fac15", "submitted_at": "2018-01-18T18:17:02Z", "landed_at": "2018-01-18T18:07:02Z", "calculated": {"score": 9}}}
    rows = Vectors("3f6a5b0e1d", compact(doc))
    scheme = Body(rows, "Typeform-Signature", "sha256=", encoding="base64")
    scheme.around()
    rows.add("the padding's sign is not a separator", {"Typeform-Signature": "sha256=" + scheme.good.replace("=", "%3D")}, "malformed_header")
    rows.write("typeform")


def lemon_squeezy():
    doc = {"meta": {"event_name": "order_created", "custom_data": {"customer_id": 25}}, "data": {"type": "orders", "id": "1", "attributes": {"store_id": 1, "customer_id": 1, "identifier": "104e18a2-d755-4d4b-80c4-a6c1dcbe1c10", "currency": "USD", "total": 999, "status": "paid"}}}
    rows = Vectors("a signing secret", compact(doc))
    kind = "X-Event-Name"
    scheme = Body(rows, "X-Signature", others=[(kind, "order_created")])
    scheme.around()
    good = {"X-Signature": scheme.good}
    rows.add("without the unsigned header", good)
    rows.add("another kind in the unsigned header than in the body", {**good, kind: "order_refunded"}, note="the kind is read from the body, which is signed")
    rows.write("lemon_squeezy")


def dropbox():
    doc = {"list_folder": {"accounts": ["dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc"]}, "delta": {"users": [12345678]}}
    rows = Vectors("dropbox_test_secret", compact(doc))
    header, crate = "X-Dropbox-Signature", "the tests of a public crate, webhook-verify; Dropbox's pages publish no answer"
    for name, text, answer in [
        ("a known answer", '{"list_folder":{"accounts":["dbid:AAH4f99T0taONFbNO56Ru6wQQq-aVsd8"]}}', "80d62d988f7b55b88cccbfe41f348828e376ba2162e1f798a6f881b3b2e3196b"),
        ("a known answer, of an empty body", "", "1b44744418631390847b9cee029ad71f07c4c4d9def0fc082438a94ceb635261"),
        ("a known answer, beyond ASCII", "héllo, \U0001f980 world!", "54e3d27a0921339a3b5cb2dffe3b53fceba8df97a934919ce3cdc2e812b304d3"),
    ]:
        assert sign(rows.secret, text) == answer, name
        rows.add(name, {header: answer}, source=crate, body=text)
    Body(rows, header).around()
    rows.write("dropbox")


def paystack():
    doc = {"event": "charge.success", "data": {"id": 302961, "domain": "live", "status": "success", "reference": "qTPrJoy9Bx", "amount": 10000, "gateway_response": "Approved by Financial Institution", "paid_at": "2016-09-30T21:10:19.000Z", "created_at": "2016-09-30T21:09:56.000Z", "channel": "card", "currency": "NGN"}}
    rows = Vectors("sk_live_0123456789abcdef", compact(doc))
    Body(rows, "X-Paystack-Signature", algorithm="HMAC-SHA512").around()
    rows.write("paystack")


def vercel():
    doc = {"id": "uev_CiCtVSVcPkMxpQz1tQ1Pmhpn", "type": "deployment.created", "createdAt": 1675884337, "region": "iad1", "payload": {"team": {"id": "team_1"}, "deployment": {"id": "dpl_1", "url": "docs-1.vercel.app", "name": "docs"}}}
    rows = Vectors("a client secret", compact(doc))
    Body(rows, "x-vercel-signature", algorithm="HMAC-SHA1").around()
    rows.write("vercel")


def adyen_platforms():
    body = '{"data":{"balancePlatform":"Integration_tools_test","accountId":"BA32272223222H5HVKTBK4MLB","sweep":{"id":"SWPC42272223222H5HVKV6H8C64DP5","schedule":{"type":"balance"},"status":"active","targetAmount":{"currency":"EUR","value":0},"triggerAmount":{"currency":"EUR","value":0},"type":"pull","counterparty":{"balanceAccountId":"BA3227C223222H5HVKT3H9WLC"},"currency":"EUR"}},"environment":"test","type":"balancePlatform.balanceAccountSweep.updated"}'
    secret = "D7DD5BA6146493707BF0BE7496F6404EC7A63616B7158EC927B9F54BB436765F"
    rows = Vectors(secret, body)
    header = "HmacSignature"
    scheme = Body(rows, header, encoding="base64", key=bytes.fromhex, secrets=[f"{i}{i}" * 32 for i in range(7)])
    assert scheme.good == "9Qz9S/0xpar1klkniKdshxpAhRKbiSAewPpWoxKefQA="
    rows.add("a known answer", {header: scheme.good}, source="Adyen/adyen-java-api-library, src/test/java/com/adyen/WebhookTest.java")
    scheme.around()
    good = {header: scheme.good}
    rows.add("the secret in lower-case hexadecimal", good, secret=secret.lower())
    rows.add("the text of the secret as the key", {header: scheme.sign(body, secret.encode())}, "signature")
    rows.add("the protocol is named", {**good, "Protocol": "HmacSHA256"})
    rows.add("beside a credential", {**good, "Authorization": "Basic dXNlcjpwYXNzd29yZA=="}, note="Adyen sends one where one is set up; it is not read")
    for what, odd in [("an odd number of digits", secret[:-1]), ("a stray character", secret[:-1] + "G"), ("a blank", secret + " "), ("base64", encoded(bytes.fromhex(secret)))]:
        rows.add(f"a secret that is no hexadecimal: {what}", good, "secret", secret=odd)
    classic = '{"live":"false","notificationItems":[{"NotificationRequestItem":{"additionalData":{"hmacSignature":"coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0="},"eventCode":"AUTHORISATION","pspReference":"7914073381342284"}}]}'
    rows.add("a standard webhook, whose signatures are in its items", {}, "missing_header", body=classic)
    rows.write("adyen_platforms")


def gitlab():
    doc = {"object_kind": "push", "event_name": "push", "before": "95790bf891e76fee5e1747ab589903a6a1f80f22", "after": "da1560886d4f094c3e6c9ef40349f7d38b5d27d7", "ref": "refs/heads/master", "checkout_sha": "da1560886d4f094c3e6c9ef40349f7d38b5d27d7", "user_id": 4, "user_name": "John Smith", "project_id": 15, "total_commits_count": 4}
    rows = Vectors("my_secret_token", compact(doc))
    header, kind, event = "X-Gitlab-Token", "X-Gitlab-Event", "X-Gitlab-Event-UUID"
    others = {kind: "Push Hook", "X-Gitlab-Instance": "https://gitlab.com", "X-Gitlab-Webhook-UUID": "02affd2d-2cba-4033-917d-ec22d5dc4b38", event: "13792a34-cac6-4fda-95a8-c58e00a3954e", "Idempotency-Key": "f5e57436-8b68-4a4c-ad9d-e7f4e7e2f1a1"}
    shows_a_token(rows, header, others)
    token = rows.secret
    rows.add("without the other headers", {header: token}, note="genuine; it has no kind")
    rows.add("the kind twice, with two values", [[header, token], [kind, "Push Hook"], [kind, "Issue Hook"]], "repeated_header")
    rows.add("a signature in the way of GitHub", {"X-Hub-Signature-256": "sha256=" + sign(token, rows.body)}, "missing_header")

    signed = Vectors(WHSEC, rows.body)
    scheme = MessageScheme(signed, "webhook", others["Idempotency-Key"])
    source, message, now, answer = "the answer of standard-webhooks/standard-webhooks, libraries/python/tests/test_webhooks.py, which GitLab's signing tokens follow", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    signed.add("known answer: a signing token", {"webhook-id": message, "webhook-timestamp": str(now), "webhook-signature": f"v1,{answer}"}, source=source, body='{"test": 2432232314}', now=now)
    scheme.all_rows()
    # GitLab's signing tokens have the prefix: without it, a secret is a secret token.
    signed[:] = [row for row in signed if row["name"] != "the secret without its prefix"]
    for row in signed:
        row["name"] = f"signing token: {row['name']}"
    good, both = scheme.headers(), {"secrets": [WHSEC, token]}
    shown = {header: token, **others}
    add = lambda name, headers, expect="valid", **fields: signed.add(f"both tokens: {name}", headers, expect, **{**both, **fields})
    add("signed, and the secret token beside", {**shown, **good})
    add("signed alone", good)
    add("signed, and a wrong secret token beside", {**good, header: "x"}, note="the signature decides")
    add("the secret token alone", shown, note="a webhook that has no signing token yet")
    add("the secret token alone, the secrets in the other order", shown, secrets=[token, WHSEC])
    add("the secret token alone, where a timestamp is required", shown, "timestamp_required", require_timestamp=True)
    add("signed, where a timestamp is required", {**shown, **good}, require_timestamp=True)
    add("another secret token", {**shown, header: "another token"}, "signature")
    add("the signing token shown", {**shown, header: WHSEC}, "signature")
    add("neither header", others, "missing_header")
    for what, headers, expect in [
        ("of another token", scheme.headers(secret=OTHER_WHSEC), "signature"),
        ("under the secret token", scheme.with_text(base64.b64encode(bytes.fromhex(sign(token, scheme.content(rows.body, str(NOW))))).decode()), "signature"),
        ("too old", scheme.headers(timestamp=NOW - 301), "timestamp"),
        ("malformed", scheme.of("v1"), "malformed_header"),
        ("empty", scheme.of(""), "malformed_header"),
        ("without its timestamp", {name: value for name, value in good.items() if name != "webhook-timestamp"}, "missing_header"),
        ("without its id", {name: value for name, value in good.items() if name != "webhook-id"}, "missing_header"),
    ]:
        add(f"the secret token beside a signature that is {what}", {**shown, **headers}, expect, note="no fallback")
    signed.add("the secret token alone is configured: a signature beside it", {**shown, **scheme.headers(secret=OTHER_WHSEC)}, secret=token, note="there is no signing token to check it with")
    signed.add("the secret token alone is configured: a signature alone", good, "missing_header", secret=token)
    signed.add("the secret token alone is configured: a timestamp is required", shown, "secret", secret=token, require_timestamp=True)
    signed.add("the signing token alone is configured: the secret token", shown, "missing_header")
    signed.add("the signing token alone is configured: shown as the secret token", {**shown, header: WHSEC}, "missing_header")
    signed.add("a signing token that is none", shown, "secret", secret="whsec_!")
    signed.add("a signing token that is none, beside a secret token", shown, "secret", secrets=[token, "whsec_!"])
    rows.extend(signed)
    rows.write("gitlab")


def chargebee():
    doc = {"id": "ev_16BHbhF4s42tO2lK", "occurred_at": 1704067200, "source": "admin_console", "user": "user@example.com", "object": "event", "api_version": "v2", "event_type": "customer_changed", "webhook_status": "not_configured", "content": {"customer": {"id": "16BHbhF4s42nHKlT", "object": "customer"}}}
    rows = Vectors("chargebee:s3cret", compact(doc))
    shows_a_credential(rows)
    rows.write("chargebee")


def postmark():
    doc = {"RecordType": "Bounce", "ID": 42, "Type": "HardBounce", "TypeCode": 1, "Name": "Hard bounce", "Tag": "Test", "MessageID": "00000000-0000-0000-0000-000000000000", "ServerID": 1234, "MessageStream": "outbound", "Email": "john@example.com", "From": "sender@example.com", "BouncedAt": "2019-11-05T16:33:54.0Z"}
    rows = Vectors("postmark:s3cr3t!", compact(doc))
    shows_a_credential(rows)
    header, trace = {"Authorization": "Basic " + encoded(rows.secret.encode())}, "X-PM-Webhook-Trace-Id"
    source = "the headers of https://postmarkapp.com/developer/webhooks/webhooks-overview"
    sent = {**header, trace: "2c4a93a1-1a37-4b0f-9a2c-4ef5f0a0c1d2", "X-PM-Retries-Remaining": "9"}
    rows.add("with the headers that Postmark sends beside it", sent, source=source)
    rows.add("the trace id twice, with two values", [*sent.items(), [trace, "b"]], "repeated_header")
    rows.write("postmark")


if __name__ == "__main__":
    for write in (github, shopify, square, meta, whatsapp, hubspot_v1, intercom, typeform, lemon_squeezy, dropbox, paystack, vercel, adyen_platforms, gitlab, chargebee, postmark):
        write()
