"""SHA-256 once more, since hashlib's cannot be resumed from a digest: the length extension of SHA-256(secret || body)."""

import struct

ROUND = [int((abs(p ** (1 / 3)) % 1) * 2**32) for p in [n for n in range(2, 312) if all(n % d for d in range(2, n))]]


def compress(state, block):
    turn = lambda x, n: (x >> n | x << (32 - n)) & 0xFFFFFFFF
    w = list(struct.unpack(">16I", block))
    for i in range(16, 64):
        s0 = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3
        s1 = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10
        w.append((w[i - 16] + s0 + w[i - 7] + s1) & 0xFFFFFFFF)
    a, b, c, d, e, f, g, h = state
    for k, word in zip(ROUND, w):
        s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)
        first = (h + s1 + (e & f ^ ~e & 0xFFFFFFFF & g) + k + word) & 0xFFFFFFFF
        s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)
        second = (s0 + (a & b ^ a & c ^ b & c)) & 0xFFFFFFFF
        a, b, c, d, e, f, g, h = (first + second) & 0xFFFFFFFF, a, b, c, (d + first) & 0xFFFFFFFF, e, f, g
    return [(x + y) & 0xFFFFFFFF for x, y in zip(state, (a, b, c, d, e, f, g, h))]


def padding(length):
    return b"\x80" + bytes((55 - length) % 64) + struct.pack(">Q", length * 8)


def extend(digest, length, suffix):
    """The digest of a text of this length and digest, its padding and a suffix: made without knowing the text."""
    glue = padding(length)
    state = list(struct.unpack(">8I", bytes.fromhex(digest)))
    total = length + len(glue) + len(suffix)
    rest = suffix + padding(total)
    for at in range(0, len(rest), 64):
        state = compress(state, rest[at : at + 64])
    return glue + suffix, struct.pack(">8I", *state).hex()
