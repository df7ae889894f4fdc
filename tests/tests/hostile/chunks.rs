//! The edges of chunks and of trailers (RFC 9112, 7.1).

use crate::{
    lane::BODY,
    probe::{Expect, Probe, both, cut_off, each, http1, post, post_to},
};

const LINE: &str = "transfer-encoding: chunked\r\n";

const TRAILERS: &str = "hyper reads trailers and bounds them, actix-http skips them; they reach nobody";

pub fn probes() -> Vec<Probe> {
    let row = |name, wire: &str, expect| http1(name, post(LINE, wire), expect);
    let mut probes = vec![
        row("an extension", "{hex};a=b\r\n{body}\r\n0;c\r\n\r\n", both("200 | processed | open")),
        row(
            "an extension with a quoted line end",
            "{hex};a=\"\r\n\"\r\n{body}\r\n0\r\n\r\n",
            both("400 | refused | closed"),
        ),
        row(
            "an extension with a bare line feed",
            "{hex};a\n{body}\r\n0\r\n\r\n",
            both("400 | refused | closed"),
        ),
        row("a size with leading zeros", "00000{hex}\r\n{body}\r\n0\r\n\r\n", both("200 | processed | open")),
        row("a size in capitals", "5A\r\n{body}\r\n0\r\n\r\n", both("200 | processed | open")),
        row("a negative size", "-{hex}\r\n{body}\r\n0\r\n\r\n", both("400 | refused | closed")),
        row("a size with a plus", "+{hex}\r\n{body}\r\n0\r\n\r\n", both("400 | refused | closed")),
        row("a size with 0x", "0x{hex}\r\n{body}\r\n0\r\n\r\n", both("400 | refused | closed")),
        row("a size with a space before it", " {hex}\r\n{body}\r\n0\r\n\r\n", both("400 | refused | closed")),
        row("a size with a space behind it", "{hex} \r\n{body}\r\n0\r\n\r\n", both("200 | processed | open")),
        row("a size with a space in it", "5 a\r\n{body}\r\n0\r\n\r\n", both("400 | refused | closed")),
        row("no size", "\r\n{body}\r\n0\r\n\r\n", both("400 | refused | closed")),
        row(
            "a size of 2^64 + 90",
            "1000000000000005a\r\n{body}\r\n0\r\n\r\n",
            both("400 | refused | closed"),
        ),
        row("a size of 2^88", "10000000000000000000000\r\n{body}", both("400 | refused | closed")),
        row("no line end behind a chunk", "{hex}\r\n{body}0\r\n\r\n", both("400 | refused | closed")),
        row(
            "other bytes in place of the line end behind a chunk",
            "{hex}\r\n{body}XX0\r\n\r\n",
            both("400 | refused | closed"),
        ),
        row("a bare line feed behind a size", "{hex}\n{body}\r\n0\r\n\r\n", both("400 | refused | closed")),
        row("a bare line feed behind a chunk", "{hex}\r\n{body}\n0\r\n\r\n", both("400 | refused | closed")),
        row(
            "a bare carriage return behind a size",
            "{hex}\r{body}\r\n0\r\n\r\n",
            both("400 | refused | closed"),
        ),
        row("a bare line feed at the end", "{hex}\r\n{body}\r\n0\n\n", both("400 | refused | closed")),
        row(
            "a chunk that is longer than it says",
            "59\r\n{body}\r\n0\r\n\r\n",
            both("400 | refused | closed"),
        ),
        row("a last chunk of zeros", "{hex}\r\n{body}\r\n0000\r\n\r\n", both("200 | processed | open")),
        http1(
            "no last chunk, and an end",
            cut_off(post(LINE, "{hex}\r\n{body}\r\n")),
            both("400 | refused | closed"),
        ),
        http1(
            "half a chunk, and an end",
            cut_off(post(LINE, "fff\r\n{body}")),
            both("400 | refused | closed"),
        ),
        http1(
            "chunks of one byte",
            post(
                LINE,
                &BODY
                    .chars()
                    .map(|c| format!("1\r\n{c}\r\n"))
                    .chain(["0\r\n\r\n".to_owned()])
                    .collect::<String>(),
            ),
            both("200 | processed | open"),
        ),
        http1(
            "chunks beyond the limit",
            post(LINE, &format!("{}0\r\n\r\n", zeros(70))),
            both("413 | refused | either"),
        ),
        row("a trailer", "{hex}\r\n{body}\r\n0\r\nx: y\r\n\r\n", both("200 | processed | open")),
        row(
            "a trailer with a second signature",
            "{hex}\r\n{body}\r\n0\r\nx-webhook-signature: {forged}\r\n\r\n",
            both("200 | processed | open"),
        ),
        http1(
            "a trailer with the signature",
            post_to("/{key}/hmac", LINE, "{hex}\r\n{body}\r\n0\r\nx-webhook-signature: {sig}\r\n\r\n"),
            both("400 | refused | open"),
        ),
        http1(
            "a trailer with the right signature of two",
            post_to(
                "/{key}/hmac",
                format!("x-webhook-signature: {{forged}}\r\ntrailer: x-webhook-signature\r\n{LINE}"),
                "{hex}\r\n{body}\r\n0\r\nx-webhook-signature: {sig}\r\n\r\n",
            ),
            both("401 | refused | open"),
        ),
        row(
            "a trailer with a length",
            "{hex}\r\n{body}\r\n0\r\ncontent-length: 5\r\n\r\n",
            both("200 | processed | open"),
        ),
        row(
            "a trailer that is no header",
            "{hex}\r\n{body}\r\n0\r\n{body}\r\n\r\n",
            each("400 | refused | closed", "200 | processed | open", TRAILERS),
        ),
        row(
            "a trailer with a folded line",
            "{hex}\r\n{body}\r\n0\r\nx: y\r\n z\r\n\r\n",
            each("400 | refused | closed", "200 | processed | open", TRAILERS),
        ),
    ];
    let long = |name, size: usize, wire: &str, expect: Expect| {
        http1(name, post(LINE, &wire.replace("{long}", &"a".repeat(size))), expect)
    };
    probes.extend([
        long(
            "an extension of 1 KB",
            1 << 10,
            "{hex};{long}\r\n{body}\r\n0\r\n\r\n",
            both("200 | processed | open"),
        ),
        long(
            "an extension of 100 KB",
            100 << 10,
            "{hex};{long}\r\n{body}\r\n0\r\n\r\n",
            each(
                "400 | refused | closed",
                "200 | processed | open",
                "hyper takes 16 KB of extensions; both skip them",
            ),
        ),
        long(
            "a trailer of 1 MB",
            1 << 20,
            "{hex}\r\n{body}\r\n0\r\nx: {long}\r\n\r\n",
            each("400 | refused | closed", "200 | processed | open", TRAILERS),
        ),
        http1(
            "10,000 trailers",
            post(LINE, &format!("{{hex}}\r\n{{body}}\r\n0\r\n{}\r\n", "x: y\r\n".repeat(10_000))),
            each("400 | refused | closed", "200 | processed | open", TRAILERS),
        ),
    ]);
    probes
}

/// So many chunks of a kilobyte.
fn zeros(count: usize) -> String {
    format!("400\r\n{}\r\n", "0".repeat(1024)).repeat(count)
}
