//! Bodies that say what they are, and several requests on one connection.

use crate::{
    lane::{Lane, gzipped, signature},
    probe::{Expect, Probe, Step, both, each, http1, post, text},
};

pub fn probes() -> Vec<Probe> {
    let typed = |name, lines: &str, expect| {
        http1(name, post(format!("{lines}content-length: {{len}}\r\n"), "{body}"), expect)
    };
    let forged = "POST /{key}/hmac HTTP/1.1\r\nhost: test\r\nx-webhook-signature: {forged}\r\ncontent-length: {len}\r\n\r\n{body}";
    let genuine = forged.replace("{forged}", "{sig}");
    let pipelined = |name, requests: &[&str], expect| http1(name, vec![text(requests.concat())], expect);
    vec![
        typed("no type", "", both("200 | processed | open")),
        typed(
            "a type of text",
            "content-type: text/plain; charset=utf-16\r\n",
            both("200 | processed | open"),
        ),
        typed(
            "a type of a form",
            "content-type: application/x-www-form-urlencoded\r\n",
            both("200 | processed | open"),
        ),
        typed(
            "a type of parts without a boundary",
            "content-type: multipart/form-data\r\n",
            both("200 | processed | open"),
        ),
        typed("a type that is none", "content-type: ;;;\r\n", both("200 | processed | open")),
        typed(
            "two types",
            "content-type: application/json\r\ncontent-type: text/plain\r\n",
            both("200 | processed | open"),
        ),
        typed("a plain body that says gzip", "content-encoding: gzip\r\n", both("200 | processed | open")),
        typed(
            "a body of an encoding that nobody knows",
            "content-encoding: x-none\r\n",
            both("200 | processed | open"),
        ),
        typed(
            "a range",
            "content-range: bytes 0-1/2\r\nrange: bytes=0-1\r\n",
            both("200 | processed | open"),
        ),
        typed(
            "conditions",
            "if-match: \"x\"\r\nif-none-match: *\r\nif-modified-since: x\r\n",
            both("200 | processed | open"),
        ),
        typed(
            "an encoding that is wanted back",
            "accept-encoding: gzip, br;q=x\r\n",
            both("200 | processed | open"),
        ),
        compressed("a body that was signed compressed", signature(gzipped()), both("200 | processed | open")),
        compressed(
            "a body that was compressed after it was signed",
            "{sig}".to_owned(),
            both("401 | refused | open"),
        ),
        http1(
            "a tenant's body that was compressed after it was signed",
            vec![gzip("/webhooks/retake/{key}", "{sig}".to_owned())],
            both("401 | refused | open"),
        ),
        pipelined(
            "a genuine delivery behind a forged one",
            &[forged, "{other}"],
            both("401 200 | refused processed | open"),
        ),
        pipelined(
            "a forged delivery behind a genuine one",
            &["{other}", forged],
            both("200 401 | processed refused | open"),
        ),
        pipelined(
            "a copy behind a delivery",
            &[&genuine, &genuine],
            both("200 200 | processed duplicate | open"),
        ),
        pipelined("two deliveries", &[&genuine, "{other}"], both("200 200 | processed processed | open")),
        pipelined(
            "9 copies behind a delivery",
            &[&*genuine; 10],
            both(
                "200 200 200 200 200 200 200 200 200 200 | processed duplicate duplicate duplicate duplicate duplicate duplicate duplicate duplicate duplicate | open",
            ),
        ),
        pipelined(
            "forged, genuine, forged, a copy",
            &[forged, &genuine, forged, &genuine],
            both("401 200 401 200 | refused processed refused duplicate | open"),
        ),
        pipelined(
            "a genuine delivery behind one that asks to be the last",
            &[
                "POST /{key}/hmac HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
                &genuine,
            ],
            each(
                "400 | refused | closed",
                "400 200 | refused processed | open",
                "actix-http goes on with what has arrived",
            ),
        ),
    ]
}

fn compressed(name: &'static str, signature: String, expect: Expect) -> Probe {
    http1(name, vec![gzip("/{key}/hmac", signature)], expect)
}

fn gzip(path: &'static str, signature: String) -> Step {
    Step::Send(Box::new(move |lane: &Lane| {
        let body = gzipped();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: test\r\nx-webhook-signature: {signature}\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        [lane.fill(&head).into_bytes(), body].concat()
    }))
}
