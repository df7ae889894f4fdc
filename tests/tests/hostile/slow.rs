//! Requests that take their time, under a read time-out of one second.

use std::time::Duration;

use crate::{
    http2::{CONTINUATION, END_HEADERS, STREAM, data, frame, genuine},
    probe::{Probe, SMUGGLING, Step, both, each, http1, http2, post, post_to, slow, text},
    streams::repeat,
};

const TENTH: Duration = Duration::from_millis(100);

const DRAINS: &str = "actix-http reads the rest of an unwanted chunked body, without a time limit, and takes none of it for a request";
const HEADS: &str =
    "axum::serve has no time-out for heads, actix-web has one of 5 s: put a proxy in front of either";

pub fn probes() -> Vec<Probe> {
    let chunked = "transfer-encoding: chunked\r\n";
    let after = |mut steps: Vec<Step>, template: &str| {
        steps.push(Step::Drip(template.to_owned(), 1, TENTH));
        steps
    };
    let rows = [
        http1(
            "a body of one byte in 100 ms",
            after(post("content-length: {len}\r\n", ""), "{body}"),
            both("408 | refused | closed"),
        ),
        http1(
            "a body that does not come",
            post("content-length: {len}\r\n", ""),
            both("408 | refused | closed"),
        ),
        http1(
            "a body that stops",
            post("content-length: 1000\r\n", "{body}"),
            both("408 | refused | closed"),
        ),
        http1(
            "a body that stops after a delivery",
            post("content-length: 1000\r\n", "{smuggled}"),
            both("408 | refused | closed"),
        ),
        http1(
            "chunks of one byte in 100 ms",
            after(post(chunked, ""), &"1\r\nx\r\n".repeat(50)),
            both("408 | refused | closed"),
        ),
        http1(
            "a chunk that stops",
            post(chunked, "1000\r\n{body}"),
            each("408 | refused | closed", "408 | refused | swallowed", DRAINS),
        ),
        http1("a chunk's size that stops", post(chunked, "1"), both("408 | refused | closed")),
        http1("a chunk's size that does not come", post(chunked, ""), both("408 | refused | closed")),
        http1(
            "a chunk of 256 MB that does not come",
            post(chunked, "fffffff\r\n"),
            each("408 | refused | closed", "408 | refused | swallowed", DRAINS),
        ),
        http1(
            "an extension of one byte in 100 ms",
            after(post(chunked, "{hex};"), &"x".repeat(50)),
            both("408 | refused | closed"),
        ),
        http1(
            "a last chunk that does not come",
            post(chunked, "{hex}\r\n{body}\r\n"),
            both("408 | refused | closed"),
        ),
        http1(
            "a trailer of one byte in 100 ms",
            after(post(chunked, "{hex}\r\n{body}\r\n0\r\nx: "), &"x".repeat(50)),
            each("408 | refused | closed", "408 400 | refused | closed", DRAINS),
        ),
        http1(
            "a chunk of 2^64 - 1 bytes",
            post(chunked, "ffffffffffffffff\r\n{body}\r\n0\r\n\r\n"),
            each("408 | refused | closed", "408 | refused | swallowed", DRAINS),
        ),
        http1(
            "a length that ends within a chunk, whose rest is a request",
            post(format!("content-length: 5\r\n{chunked}"), "1ff\r\n{smuggled}"),
            each("408 | refused | closed", "400 | - | closed", SMUGGLING),
        ),
        http1(
            "an upgrade to a web socket",
            post("connection: upgrade\r\nupgrade: websocket\r\ncontent-length: {len}\r\n", "{body}"),
            each(
                "200 | processed | open",
                "408 | refused | closed",
                "to actix-http, what asks for a web socket has a body without an end",
            ),
        ),
        http1(
            "a wrong token with a delivery in a chunk without an end",
            post_to("/{key}/token", format!("x-raaft-token: x\r\n{chunked}"), "fffff\r\n{smuggled}"),
            each("401 | refused | closed", "401 | refused | swallowed", DRAINS),
        ),
        http1("nothing", vec![], both("- | - | held")),
        http1(
            "half a first line",
            vec![text("POST /{key}/hm")],
            each("- | - | held", "408 | - | closed", HEADS),
        ),
        http1(
            "half a head",
            vec![text("POST /{key}/hmac HTTP/1.1\r\nhost: te")],
            each("- | - | held", "408 | - | closed", HEADS),
        ),
        http1(
            "a head of one byte in 100 ms",
            after(vec![text("POST /{key}/hmac HTTP/1.1\r\nhost: test\r\nx: ")], &"y".repeat(70)),
            each("- | - | held", "408 | - | closed", HEADS),
        ),
    ];
    rows.into_iter().chain(streams()).map(slow).collect()
}

/// Over HTTP/2.
fn streams() -> [Probe; 5] {
    let head = || genuine(END_HEADERS, &[]);
    let one = "\0\0\x01\0\0\0\0\0\x01x";
    [
        http2("a stream without an end", vec![head(), data(0, "{body}")], both("408 | refused | open")),
        http2(
            "frames of one byte in 100 ms",
            vec![head(), Step::Drip(one.repeat(50), one.len(), TENTH)],
            both("408 | refused | open"),
        ),
        http2("a stream's head that does not end", vec![genuine(0, &[])], both("- | - | held")),
        http2(
            "continuations without an end",
            vec![genuine(0, &[]), repeat(300, || frame(CONTINUATION, 0, STREAM, &[b'x'; 16_384]))],
            each(
                "goaway(COMPRESSION_ERROR) | - | closed",
                "- | - | held",
                "actix-http waits for the end of a header list of up to 16 MB",
            ),
        ),
        http2(
            "half a frame",
            vec![head(), text(&one.replace('\x01', "\x02")[..10])],
            both("408 goaway(PROTOCOL_ERROR) | refused | closed"),
        ),
    ]
}
