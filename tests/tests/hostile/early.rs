//! Refusals before the body has arrived: no part of an unread body may be taken for a request.

use crate::probe::{Probe, ROUTERS, Step, both, each, http1, post, post_to, request, text};

const CONTINUES: &str = "actix-http says 100 before anybody has seen the request";

pub fn probes() -> Vec<Probe> {
    let to =
        |name, path: &str, lines: &str, wire: &str, expect| http1(name, post_to(path, lines, wire), expect);
    let wrong = "x-raaft-token: x\r\n";
    let chunked = "transfer-encoding: chunked\r\n";
    let with = |lines: &str| format!("{wrong}{lines}");
    let token = |name, lines: &str, wire: &str, expect| to(name, "/{key}/token", lines, wire, expect);
    vec![
        token(
            "the right token",
            "x-raaft-token: {token}\r\ncontent-length: {len}\r\n",
            "{body}",
            both("200 | processed | open"),
        ),
        token(
            "a wrong token with a small body",
            &with("content-length: {len}\r\n"),
            "{body}",
            both("401 | refused | either"),
        ),
        token(
            "a wrong token with 10 MB declared",
            &with("content-length: 10485760\r\n"),
            "",
            both("401 | refused | closed"),
        ),
        http1(
            "a wrong token with 10 MB sent",
            with_bulk(post_to("/{key}/token", with("content-length: 10485760\r\n"), "")),
            both("401 | refused | closed"),
        ),
        token(
            "a wrong token with a delivery as its body",
            &with("content-length: {smuggled-len}\r\n"),
            "{smuggled}",
            both("401 | refused | either"),
        ),
        token(
            "a wrong token with a delivery at its body's start",
            &with("content-length: 100{smuggled-len}\r\n"),
            "{smuggled}",
            both("401 | refused | closed"),
        ),
        token(
            "a wrong token with a delivery in a chunk",
            &with(chunked),
            "{smuggled-hex}\r\n{smuggled}\r\n0\r\n\r\n",
            both("401 | refused | either"),
        ),
        token(
            "a wrong token with bad chunks",
            &with(chunked),
            "xyz\r\n{smuggled}",
            both("401 | refused | closed"),
        ),
        token(
            "no token with a delivery as its body",
            "content-length: {smuggled-len}\r\n",
            "{smuggled}",
            both("400 | refused | either"),
        ),
        to(
            "no signature with a delivery as its body",
            "/{key}/hmac",
            "content-length: {smuggled-len}\r\n",
            "{smuggled}",
            both("400 | refused | either"),
        ),
        http1(
            "a body over the limit that starts with a delivery",
            post("content-length: 70000\r\n", "{smuggled}"),
            both("413 | refused | closed"),
        ),
        to(
            "an unknown path with a delivery as its body",
            "/{key}/none",
            "content-length: {smuggled-len}\r\n",
            "{smuggled}",
            both("404 | - | either"),
        ),
        to(
            "an unknown path with a delivery at its body's start",
            "/{key}/none",
            "content-length: 100{smuggled-len}\r\n",
            "{smuggled}",
            both("404 | - | closed"),
        ),
        to(
            "an unknown tenant with a delivery as its body",
            "/webhooks/retake/{key}x",
            "content-length: {smuggled-len}\r\n",
            "{smuggled}",
            both("404 | unnamed | either"),
        ),
        to(
            "an unknown tenant with a delivery at its body's start",
            "/webhooks/retake/{key}x",
            "content-length: 100{smuggled-len}\r\n",
            "{smuggled}",
            both("404 | unnamed | closed"),
        ),
        http1(
            "a wrong method with a delivery as its body",
            request("PUT /{key}/hmac HTTP/1.1", "content-length: {smuggled-len}\r\n", "{smuggled}"),
            each("405 | - | either", "404 | - | either", ROUTERS),
        ),
        token(
            "a wrong token that expects 100",
            &with("expect: 100-continue\r\ncontent-length: {len}\r\n"),
            "",
            each("401 | refused | either", "100 401 | refused | either", CONTINUES),
        ),
        token(
            "a wrong token that expects 100 and does not wait",
            &with("expect: 100-continue\r\ncontent-length: {smuggled-len}\r\n"),
            "{smuggled}",
            each("401 | refused | either", "100 401 | refused | either", CONTINUES),
        ),
        http1(
            "a body over the limit that expects 100",
            post("expect: 100-continue\r\ncontent-length: 70000\r\n", ""),
            each("413 | refused | either", "100 413 | refused | either", CONTINUES),
        ),
        http1(
            "a genuine delivery that expects 100",
            post("expect: 100-continue\r\ncontent-length: {len}\r\n", "")
                .into_iter()
                .chain([Step::Await, text("{body}")])
                .collect(),
            both("100 200 | processed | open"),
        ),
        http1(
            "a genuine delivery that expects 100 and does not wait",
            post("expect: 100-continue\r\ncontent-length: {len}\r\n", "{body}"),
            both("100 200 | processed | open"),
        ),
        http1(
            "a genuine delivery that expects something else",
            post("expect: 200-ok\r\ncontent-length: {len}\r\n", "{body}"),
            both("200 | processed | open"),
        ),
        http1(
            "HTTP/1.0 that expects 100",
            request(
                "POST /{key}/hmac HTTP/1.0",
                "x-webhook-signature: {sig}\r\nexpect: 100-continue\r\ncontent-length: {len}\r\n",
                "{body}",
            ),
            both("200 | processed | closed"),
        ),
    ]
}

/// These steps and 10 MB.
fn with_bulk(mut steps: Vec<Step>) -> Vec<Step> {
    steps.push(Step::Send(Box::new(|_| vec![b'x'; 10 << 20])));
    steps
}
