#!/usr/bin/env python3
"""Writes the published answers for the algorithms themselves: HMAC-SHA1, HMAC-SHA512, Ed25519, ECDSA on P-256.

Those of Ed25519 and ECDSA are read from the folder that is named as the argument, where these must be, as published:
ed25519_test.json and ecdsa_secp256r1_sha256_test.json of Project Wycheproof, SigVer.rsp of NIST's CAVP for FIPS 186-3, and
sign.input of the authors of Ed25519, whose lines 1, 2, 3 and 1024 are the tests of RFC 8032.
"""

import base64
import hashlib
import json
import pathlib
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from rows import Vectors, flip_hex, sign

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def text(raw):
    """As text where it is some, else as bytes."""
    return raw.decode() if raw.isascii() and raw.decode().isprintable() else raw


def rfc2202():
    rows = Vectors(None, None, now=0)
    for case, key, data, answer in [
        (1, b"\x0b" * 20, b"Hi There", "b617318655057264e28bc0b6fb378c8ef146be00"),
        (2, b"Jefe", b"what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (3, b"\xaa" * 20, b"\xdd" * 50, "125d7342b9ac11cd91a39af48aa17b4f63f175d3"),
        (4, bytes(range(1, 26)), b"\xcd" * 50, "4c9007f4026250c6bc8414f9bf50c86c2d7235da"),
        (5, b"\x0c" * 20, b"Test With Truncation", "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04"),
        (6, b"\xaa" * 80, b"Test Using Larger Than Block-Size Key - Hash Key First", "aa4ae5e15272d00e95705637ce8a3b55ed402112"),
        (7, b"\xaa" * 80, b"Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data", "e8e99d0f45237d786d6bbaa7965c7808bbff1a91"),
    ]:
        hmac_case(rows, f"test case {case}", "RFC 2202, section 3", key, data, answer, hashlib.sha1)
    truncated = {"digest": "4c1a03424b55e07fe7f27be1"}
    rows.add("test case 5, truncated to 96 bits", truncated, "malformed_header", source="RFC 2202, section 3", secret_hex="0c" * 20, body="Test With Truncation")
    rows.write("rfc2202")


def rfc4231_sha512():
    rows = Vectors(None, None, now=0)
    for case, key, data, answer in [
        (1, b"\x0b" * 20, b"Hi There", "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"),
        (2, b"Jefe", b"what do ya want for nothing?", "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"),
        (3, b"\xaa" * 20, b"\xdd" * 50, "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb"),
        (4, bytes(range(1, 26)), b"\xcd" * 50, "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3dba91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd"),
        (6, b"\xaa" * 131, b"Test Using Larger Than Block-Size Key - Hash Key First", "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"),
        (7, b"\xaa" * 131, b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.", "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58"),
    ]:
        hmac_case(rows, f"test case {case}", f"RFC 4231, section 4.{case + 1}", key, data, answer, hashlib.sha512)
    truncated = {"digest": "415fad6271580a531d4179bc891d87a6"}
    assert sign(b"\x0c" * 20, "Test With Truncation", hashlib.sha512).startswith(truncated["digest"])
    rows.add("test case 5, truncated to 128 bits", truncated, "malformed_header", source="RFC 4231, section 4.6", secret_hex="0c" * 20, body="Test With Truncation")
    rows.write("rfc4231_sha512")


def hmac_case(rows, name, source, key, data, answer, algorithm):
    assert sign(key, data, algorithm) == answer, name
    rows.add(name, {"digest": answer}, source=source, secret_hex=key.hex(), body=text(data))
    rows.add(f"{name}, with one changed bit", {"digest": flip_hex(answer)}, "signature", source=source, secret_hex=key.hex(), body=text(data))


def rfc8032(folder):
    rows = Vectors(None, None, now=0)
    lines = (folder / "sign.input").read_text().splitlines()
    cases = []
    for name, number in [("test 1", 1), ("test 2", 2), ("test 3", 3), ("test 1024", 1024)]:
        _, key, message, signed, _ = lines[number - 1].split(":")
        cases.append((name, key, bytes.fromhex(message), signed[:128]))
    digest = hashlib.sha512(b"abc").digest()
    cases.append(("test SHA(abc)", "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf", digest, "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"))
    for name, key, message, signed in cases:
        assert is_ed25519(key, message, signed)
        row = {"source": "RFC 8032, section 7.1", "secret": key, "body": text(message)}
        rows.add(name, {"digest": signed}, **row)
        rows.add(f"{name}, upper-case hexadecimal", {"digest": signed.upper()}, **row)
        for at in (0, 63, 64, 127):
            rows.add(f"{name}, with one changed bit in digit {at}", {"digest": flip_hex(signed, at)}, "signature", **row)
        rows.add(f"{name}, with a byte more in the body", {"digest": signed}, "signature", **{**row, "body": text(message + b"\0")})
        rows.add(f"{name}, the halves exchanged", {"digest": signed[64:] + signed[:64]}, "signature", **row)
    one, other = cases[0], cases[1]
    rows.add("the signature of another key", {"digest": other[3]}, "signature", source="RFC 8032, section 7.1", secret=one[1], body=text(other[2]))
    for what, key in [
        ("a byte too few", one[1][:-2]),
        ("a byte too many", one[1] + "00"),
        ("base64", base64.b64encode(bytes.fromhex(one[1])).decode()),
        ("not on the curve", "02" + "00" * 31),
        ("of order 1", "01" + "00" * 31),
        ("of order 2", "ec" + "ff" * 30 + "7f"),
        ("of order 4", "00" * 32),
        ("of order 4, the other", "00" * 31 + "80"),
        ("of order 8", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
        ("of order 8, the other", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
        ("of order 4, not canonical", "ed" + "ff" * 30 + "7f"),
    ]:
        forged = {"digest": "01" + "00" * 63}
        rows.add(f"malformed key: {what}", forged, "secret", source="computed apart", secret=key, body="anything", note="under a key of small order, one signature is good for any content")
    rows.add("two live keys, signed with the second", {"digest": other[3]}, source="RFC 8032, section 7.1", secrets=[one[1], other[1]], body=text(other[2]))
    rows.add("two live keys, signed with the first", {"digest": one[3]}, source="RFC 8032, section 7.1", secrets=[one[1], other[1]], body=text(one[2]))
    wycheproof = json.loads((folder / "ed25519_test.json").read_text())
    for group in wycheproof["testGroups"]:
        key = group["publicKey"]["pk"]
        for test in group["tests"]:
            message = bytes.fromhex(test["msg"])
            genuine = test["result"] == "valid"
            assert is_ed25519(key, message, test["sig"]) == genuine
            expect = "valid" if genuine else "signature" if len(test["sig"]) == 128 else "malformed_header"
            name = f"Wycheproof {test['tcId']}: {test['comment'].strip() or test['flags'][0]}"
            rows.add(name, {"digest": test["sig"]}, expect, source="C2SP/wycheproof, testvectors_v1/ed25519_test.json", secret=key, body=text(message))
    rows.write("rfc8032")


def is_ed25519(key, message, signed):
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signed), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def ecdsa_p256(folder):
    rows = Vectors(None, None, now=0)
    key = public_key(0x60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6, 0x7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299)
    for message, r, s in [
        ("sample", 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716, 0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8),
        ("test", 0xF1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367, 0x019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083),
    ]:
        signed = encode_dss_signature(r, s)
        assert is_ecdsa(key, message.encode(), signed)
        row = {"source": "RFC 6979, section A.2.5", "secret": written(key), "body": message}
        add = lambda what, der, expect, **fields: rows.add(f"{message}{what}", {"digest": base64.b64encode(der).decode()}, expect, **{**row, **fields})
        add("", signed, "valid")
        add(", with the key as a point", signed, "valid", secret=base64.b64encode(point(key)).decode())
        add(", with the key as a compressed point", signed, "valid", secret=base64.b64encode(point(key, "Compressed")).decode())
        add(", with the other s", encode_dss_signature(r, ORDER - s), "valid", note="good by the standard: so a signature is no key to tell deliveries apart")
        add(", with another r", encode_dss_signature(r ^ 1, s), "signature")
        add(", with another s", encode_dss_signature(r, s ^ 1), "signature")
        add(", with r and s exchanged", encode_dss_signature(s, r), "signature")
        add(", with r = 0", encode_dss_signature(0, s), "malformed_header")
        add(", with s = 0", encode_dss_signature(r, 0), "malformed_header")
        add(", with r = s = 0", encode_dss_signature(0, 0), "malformed_header")
        add(", with s + n", encode_dss_signature(r, s + ORDER), "malformed_header")
        add(", with s = n", encode_dss_signature(r, ORDER), "malformed_header")
        add(", with r and s in 64 bytes, as IEEE P1363", r.to_bytes(32) + s.to_bytes(32), "malformed_header")
        add(", of another body", signed, "signature", body=message + " ")
        rows.add(f"{message}, in hexadecimal", {"digest": signed.hex()}, "malformed_header", **row)
    for what, secret in [
        ("a byte too few", point(key)[:-1]),
        ("a byte too many", point(key) + b"\0"),
        ("not on the curve", point(key)[:-1] + bytes([point(key)[-1] ^ 1])),
        ("the point at infinity", b"\0"),
        ("of P-384", base64.b64decode(written(ec.derive_private_key(7, ec.SECP384R1()).public_key()))),
        ("a private key", (1).to_bytes(32)),
    ]:
        rows.add(f"malformed key: {what}", {"digest": "AA=="}, "secret", source="computed apart", secret=base64.b64encode(secret).decode(), body="anything")
    nist = iter((folder / "SigVer.rsp").read_text().split("[P-256,SHA-256]")[1].split("[")[0].strip().split("\n\n"))
    for number, block in enumerate(nist, 1):
        field = dict(line.split(" = ") for line in block.splitlines())
        key = public_key(int(field["Qx"], 16), int(field["Qy"], 16))
        message, signed = bytes.fromhex(field["Msg"]), encode_dss_signature(int(field["R"], 16), int(field["S"], 16))
        genuine = field["Result"].startswith("P")
        assert is_ecdsa(key, message, signed) == genuine
        rows.add(f"NIST {number}: {field['Result'].strip()}", {"digest": base64.b64encode(signed).decode()}, "valid" if genuine else "signature", source="NIST CAVP, 186-3ecdsatestvectors, SigVer.rsp, P-256 with SHA-256", secret=written(key), body=text(message))
    wycheproof = json.loads((folder / "ecdsa_secp256r1_sha256_test.json").read_text())
    seen = set()
    for group in wycheproof["testGroups"]:
        key = serialization.load_der_public_key(bytes.fromhex(group["publicKeyDer"]))
        for test in group["tests"]:
            # One of each kind is enough: many differ in their numbers alone.
            kind = (test["comment"], test["result"]) if test["result"] == "invalid" else (*test["flags"], test["comment"].split()[0])
            if kind in seen or "incorrect types: r=" in test["comment"] and "r=0," not in test["comment"]:
                continue
            seen.add(kind)
            message, signed = bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"])
            genuine = test["result"] == "valid"
            assert is_ecdsa(key, message, signed) == genuine, test["tcId"]
            expect = "valid" if genuine else "signature" if is_in_range(signed) else "malformed_header"
            rows.add(f"Wycheproof {test['tcId']}: {test['comment']}", {"digest": base64.b64encode(signed).decode()}, expect, source="C2SP/wycheproof, testvectors_v1/ecdsa_secp256r1_sha256_test.json", secret=written(key), body=text(message))
    rows.write("ecdsa_p256")


def public_key(x, y):
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def written(key):
    return base64.b64encode(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).decode()


def point(key, form="Uncompressed"):
    return key.public_bytes(serialization.Encoding.X962, getattr(serialization.PublicFormat, f"{form}Point"))


def is_ecdsa(key, message, signed):
    try:
        key.verify(signed, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def is_in_range(signed):
    """Whether this is DER, of two numbers that a signature may hold."""
    try:
        r, s = decode_dss_signature(signed)
    except ValueError:
        return False
    return encode_dss_signature(r, s) == signed and 0 < r < ORDER and 0 < s < ORDER


if __name__ == "__main__":
    rfc2202()
    rfc4231_sha512()
    for write in (rfc8032, ecdsa_p256):
        write(pathlib.Path(sys.argv[1]))
