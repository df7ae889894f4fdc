//! `Content-Length`: what frames a body, and what does not (RFC 9112, 6.3; RFC 9110, 8.6).

use crate::{
    lane::{BODY, BODY_LIMIT, Lane, signature},
    probe::{Probe, Step, both, cut_off, each, http1, post, text},
};

pub fn probes() -> Vec<Probe> {
    let row = |name, lines, wire, expect| http1(name, post(lines, wire), expect);
    vec![
        row("one length", "content-length: {len}\r\n", "{body}", both("200 | processed | open")),
        row("no length: what follows is no body", "", "{body}", both("401 400 | refused | closed")),
        row(
            "length 0: what follows is no body",
            "content-length: 0\r\n",
            "{body}",
            both("401 400 | refused | closed"),
        ),
        row("a length with a minus", "content-length: -{len}\r\n", "{body}", both("400 | - | closed")),
        row("a length with a plus", "content-length: +{len}\r\n", "{body}", both("400 | - | closed")),
        row(
            "a length with leading zeros",
            "content-length: 000{len}\r\n",
            "{body}",
            both("200 | processed | open"),
        ),
        row(
            "a length with white space around it",
            "content-length: \t {len} \t\r\n",
            "{body}",
            both("200 | processed | open"),
        ),
        row("a length with a space in it", "content-length: 9 0\r\n", "{body}", both("400 | - | closed")),
        row("a length in hex", "content-length: 0x5a\r\n", "{body}", both("400 | - | closed")),
        row("an empty length", "content-length:\r\n", "{body}", both("400 | - | closed")),
        row(
            "the same length twice",
            "content-length: {len}\r\ncontent-length: {len}\r\n",
            "{body}",
            each("200 | processed | open", "400 | - | closed", "RFC 9110, 8.6 allows both"),
        ),
        row(
            "two lengths",
            "content-length: {len}\r\ncontent-length: 1\r\n",
            "{body}",
            both("400 | - | closed"),
        ),
        row(
            "two lengths, the right one last",
            "content-length: 1\r\ncontent-length: {len}\r\n",
            "{body}",
            both("400 | - | closed"),
        ),
        row(
            "a list of the same length",
            "content-length: {len}, {len}\r\n",
            "{body}",
            both("400 | - | closed"),
        ),
        row("a list of two lengths", "content-length: {len}, 1\r\n", "{body}", both("400 | - | closed")),
        row(
            "a length of 2^64 + 90",
            "content-length: 18446744073709551706\r\n",
            "{body}",
            both("400 | - | closed"),
        ),
        row(
            "a length of 2^64 - 1",
            "content-length: 18446744073709551615\r\n",
            "{body}",
            each("431 | - | closed", "413 | refused | closed", "hyper keeps this number for itself"),
        ),
        row(
            "a length of 2^63",
            "content-length: 9223372036854775808\r\n",
            "{body}",
            both("413 | refused | closed"),
        ),
        row(
            "a length of 1 MB over the limit, whose body never comes",
            "content-length: 1048576\r\n",
            "",
            both("413 | refused | closed"),
        ),
        http1("a body that is as long as the limit", padded(BODY_LIMIT), both("200 | processed | open")),
        http1(
            "a body that is a byte longer than the limit",
            padded(BODY_LIMIT + 1),
            both("413 | refused | closed"),
        ),
        http1(
            "a body that ends before its length",
            cut_off(post("content-length: 9{len}\r\n", "{body}")),
            both("400 | refused | closed"),
        ),
        http1(
            "a head that ends before its end",
            cut_off(vec![text("POST /{key}/hmac HTTP/1.1\r\nhost: te")]),
            both("- | - | closed"),
        ),
        row(
            "a body that is longer than its length",
            "content-length: 80\r\n",
            "{body}",
            both("401 400 | refused | closed"),
        ),
    ]
}

/// A genuine body with as many spaces behind it.
fn padded(length: usize) -> Vec<Step> {
    let send = move |lane: &Lane| {
        let body = [BODY, &" ".repeat(length - BODY.len())].concat();
        let (key, signature) = (&lane.key, signature(&body));
        format!("POST /{key}/hmac HTTP/1.1\r\nhost: test\r\nx-webhook-signature: {signature}\r\ncontent-length: {length}\r\n\r\n{body}")
            .into_bytes()
    };
    vec![Step::Send(Box::new(send))]
}
