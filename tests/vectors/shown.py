"""What schemes share that sign nothing: a header shows the secret itself."""

import base64
import hashlib

from rows import flip, sign


def encoded(raw):
    return base64.b64encode(raw).decode()


def shows_a_token(rows, header, others=()):
    """What every scheme must do whose header holds the secret itself."""
    token, others = rows.secret, dict(others)
    rows.add("genuine", {header: token, **others})
    rows.add("the header's name in capitals", {header.upper(): token, **others})
    rows.add("the header's name in lower case", {header.lower(): token, **others})
    rows.add("the header twice, with one value", [[header, token], [header.upper(), token], *map(list, others.items())])
    rows.add("the header twice, the genuine value first", [[header, token], [header, "x"]], "repeated_header")
    rows.add("the header twice, the genuine value last", [[header, ""], [header, token]], "repeated_header")
    rows.add("no token header", others, "missing_header")
    rows.add("no header at all", {}, "missing_header")
    rows.add("a header of a longer name", {header + "s": token}, "missing_header")
    rows.add("a header of a shorter name", {header[:-1]: token}, "missing_header")
    rows.add("the token as a bearer's", {"Authorization": f"Bearer {token}"}, "missing_header")
    for cut in (0, 1, len(token) // 2, len(token) - 1):
        rows.add(f"the first {cut} characters of the token", {header: token[:cut], **others}, "signature")
    for what, shown in [
        ("a character more", token + "x"),
        ("a character more before", "x" + token),
        ("a blank more", token + " "),
        ("a blank more before", " " + token),
        ("a NUL more", token + "\0"),
        ("twice", token + token),
        ("in a list", f"{token},{token}"),
        ("in other case", token.swapcase()),
        ("one changed bit", flip(token)),
        ("in quotes", f'"{token}"'),
        ("beyond ASCII", token[:-1] + "３"),
        ("very long", token * 1_000),
        ("a blank", " "),
        ("the digest of the token", hashlib.sha256(token.encode()).hexdigest()),
        ("a signature under the token", sign(token, rows.body)),
    ]:
        rows.add(f"not the token: {what}", {header: shown, **others}, "signature")
    rows.add("two live tokens, the first shown", {header: token, **others}, secrets=[token, "another token"])
    rows.add("two live tokens, the second shown", {header: token, **others}, secrets=["another token", token])
    rows.add("two live tokens, both shown", {header: token + "another token", **others}, "signature", secrets=[token, "another token"])
    rows.add("a token beyond ASCII", {header: "gehéim", **others}, secret="gehéim")
    rows.add("a changed body", {header: token, **others}, body=flip(rows.body), note="a token says nothing of the body")
    rows.add("a body that is not UTF-8", {header: token, **others}, body=b'{"text":"\xff"}')
    rows.add("no body", {header: token, **others}, body="", note="genuine; it has no event")


def shows_a_credential(rows):
    """What HTTP's Basic authentication must do; the secret is `user:password`."""
    header, secret = "Authorization", rows.secret
    basic = lambda credential, scheme="Basic ": {header: scheme + encoded(credential.encode())}
    good = basic(secret)[header]
    text = good.removeprefix("Basic ")
    rows.add("a known answer", {header: "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}, source="RFC 7617, section 2", secret="Aladdin:open sesame")
    rows.add("a known answer, beyond ASCII", {header: "Basic dGVzdDoxMjPCow=="}, source="RFC 7617, section 2.1", secret="test:123£")
    assert encoded(b"Aladdin:open sesame") == "QWxhZGRpbjpvcGVuIHNlc2FtZQ==" and encoded("test:123£".encode()) == "dGVzdDoxMjPCow=="
    rows.add("genuine", {header: good})
    rows.add("the header's name in capitals", {header.upper(): good})
    rows.add("the header's name in lower case", {header.lower(): good})
    rows.add("the scheme's name in lower case", {header: "basic " + text})
    rows.add("the scheme's name in capitals", {header: "BASIC " + text})
    rows.add("the scheme's name in mixed case", {header: "bASic " + text})
    rows.add("the header twice, with one value", [[header, good], [header.lower(), good]])
    rows.add("the header twice, the genuine value first", [[header, good], [header, "Basic eDp5"]], "repeated_header")
    rows.add("the header twice, the genuine value last", [[header, ""], [header, good]], "repeated_header")
    rows.add("no header", {}, "missing_header")
    rows.add("the proxy's header", {"Proxy-Authorization": good}, "missing_header")
    rows.add("a header of another name", {"X-Authorization": good}, "missing_header")
    user, password = secret.split(":", 1)
    for what, credential in [
        ("another password", user + ":another"),
        ("another user", "another:" + password),
        ("the password in other case", f"{user}:{password.swapcase()}"),
        ("the user in other case", f"{user.swapcase()}:{password}"),
        ("the password as the user", f"{password}:{user}"),
        ("no password", user + ":"),
        ("no user", ":" + password),
        ("no colon", user + password),
        ("the user alone", user),
        ("a colon alone", ":"),
        ("nothing", ""),
        ("a colon more", f"{user}::{password}"),
        ("a colon more at the end", secret + ":"),
        ("a byte less", secret[:-1]),
        ("a byte more", secret + "x"),
        ("a blank more", secret + " "),
        ("a line end more", secret + "\n"),
        ("a NUL more", secret + "\0"),
        ("the colon a character on", f"{user}{password[0]}:{password[1:]}"),
        ("one changed bit", flip(secret)),
        ("twice", secret + secret),
        ("in base64 twice", text),
        ("very long", secret * 500),
    ]:
        rows.add(f"not the credential: {what}", basic(credential), "signature")
    for what, value in [
        ("nothing", ""),
        ("a blank", " "),
        ("the scheme alone", "Basic"),
        ("the scheme and a blank", "Basic "),
        ("the credential alone", text),
        ("another scheme", "Bearer " + text),
        ("a longer name of the scheme", "Basics " + text),
        ("no blank", "Basic" + text),
        ("a colon in place of the blank", "Basic:" + text),
        ("a tab in place of the blank", "Basic\t" + text),
        ("a blank before it", " " + good),
        ("a blank behind it", good + " "),
        ("not encoded", "Basic " + secret),
        ("in hexadecimal", "Basic " + secret.encode().hex()),
        ("in quotes", f'Basic "{text}"'),
        ("padding once too often", good + "="),
        ("a stray character", good[:-3] + "!" + good[-2:]),
        ("a list", f"{good},{good}"),
        ("parameters behind it", good + ', charset="UTF-8"'),
    ]:
        rows.add(f"malformed: {what}", {header: value}, "signature", note="as little a credential as a wrong one")
    assert text.endswith("="), "else there is no padding to leave out"
    rows.add("malformed: no padding", {header: good.rstrip("=")}, "signature", note="as little a credential as a wrong one")
    at = len(text.rstrip("=")) - 1
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    loose = text[:at] + letters[letters.index(text[at]) ^ 1] + text[at + 1 :]
    rows.add("malformed: bits behind the last byte", {header: "Basic " + loose}, "signature", note="as little a credential as a wrong one")
    rows.add("two live credentials, the first shown", {header: good}, secrets=[secret, "another:credential"])
    rows.add("two live credentials, the second shown", {header: good}, secrets=["another:credential", secret])
    rows.add("two live credentials, the user of one and the password of the other", basic("another:" + password), "signature", secrets=[secret, "another:credential"])
    rows.add("a colon in the password", basic("user:pass:word"), secret="user:pass:word")
    rows.add("a credential beyond ASCII", basic("benützer:schlüssel"), secret="benützer:schlüssel")
    rows.add("a changed body", {header: good}, body=flip(rows.body), note="a credential says nothing of the body")
    rows.add("a body that is not UTF-8", {header: good}, body=b'{"text":"\xff"}')
    rows.add("no body", {header: good}, body="", note="genuine; it has no event")
    rows.add("a secret without a colon", {header: good}, "secret", secret="password")
