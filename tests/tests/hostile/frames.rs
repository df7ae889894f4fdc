//! HTTP/2: requests that are malformed (RFC 9113, 8.1 to 8.3), and what stands in their header lists.

use crate::{
    http2::{
        CONTINUATION, END_HEADERS, END_STREAM, GENUINE, HEADERS, STREAM, block, data, filled, frame, genuine,
        headers, raw,
    },
    lane::{Lane, gzipped, signature},
    probe::{Probe, ROUTERS, Step, both, each, http2},
};

type Fields = [(&'static str, &'static str)];

/// A head without a body.
const BOTH: u8 = END_HEADERS | END_STREAM;

const LISTS: &str = "hyper takes lists of 16 KB, actix-http of 16 MB";

pub fn probes() -> Vec<Probe> {
    let body = || data(END_STREAM, "{body}");
    // Beside the genuine fields.
    let row = |name, more: &Fields, expect| http2(name, vec![genuine(END_HEADERS, more), body()], expect);
    // In place of them.
    let of = |name, fields: &Fields, expect| http2(name, vec![headers(END_HEADERS, fields), body()], expect);
    let without = |name, left_out: &str, expect| {
        let fields: Vec<_> = GENUINE.into_iter().filter(|(name, _)| *name != left_out).collect();
        of(name, &fields, expect)
    };
    let at = |name, path, expect| {
        let fields = GENUINE.map(|(name, value)| (name, if name == ":path" { path } else { value }));
        of(name, &fields, expect)
    };
    let [method, scheme, authority, path, signed] = GENUINE;
    let get = |path| [(":method", "GET"), scheme, (":path", path)];
    vec![
        row("a delivery", &[], both("200 | processed | open")),
        row("the length of the data", &[("content-length", "{len}")], both("200 | processed | open")),
        row(
            "a length beyond the data",
            &[("content-length", "91")],
            both("reset(PROTOCOL_ERROR) | refused | open"),
        ),
        row(
            "a length below the data",
            &[("content-length", "80")],
            both("reset(PROTOCOL_ERROR) | refused | open"),
        ),
        row("length 0 with data", &[("content-length", "0")], both("reset(PROTOCOL_ERROR) | refused | open")),
        row(
            "the same length twice",
            &[("content-length", "{len}"), ("content-length", "{len}")],
            both("200 | processed | open"),
        ),
        row(
            "two lengths",
            &[("content-length", "{len}"), ("content-length", "1")],
            each(
                "reset(PROTOCOL_ERROR) | - | open",
                "200 | processed | open",
                "h2 0.3 looks at the first one; the frames decide, and the signature",
            ),
        ),
        row("a length that is none", &[("content-length", "-1")], both("reset(PROTOCOL_ERROR) | - | open")),
        http2(
            "a length over the limit",
            vec![genuine(END_HEADERS, &[("content-length", "1048576")])],
            both("413 | refused | open"),
        ),
        http2(
            "a length without data",
            vec![genuine(BOTH, &[("content-length", "{len}")])],
            each(
                "reset(PROTOCOL_ERROR) | - | open",
                "401 | refused | open",
                "h2 0.3 compares lengths with data where there is data",
            ),
        ),
        http2("no data", vec![genuine(BOTH, &[])], both("401 | refused | open")),
        without("no method", ":method", both("reset(PROTOCOL_ERROR) | - | open")),
        without("no scheme", ":scheme", both("reset(PROTOCOL_ERROR) | - | open")),
        without("no path", ":path", both("reset(PROTOCOL_ERROR) | - | open")),
        without("no authority", ":authority", both("200 | processed | open")),
        without("no signature", "x-webhook-signature", both("400 | refused | open")),
        row("a second path behind the fields", &[(":path", "/")], both("reset(PROTOCOL_ERROR) | - | open")),
        of(
            "two paths",
            &[method, scheme, authority, path, (":path", "/"), signed],
            both("reset(PROTOCOL_ERROR) | - | open"),
        ),
        of(
            "two methods",
            &[method, (":method", "GET"), scheme, authority, path, signed],
            both("reset(PROTOCOL_ERROR) | - | open"),
        ),
        of(
            "a field before the pseudo-fields",
            &[signed, method, scheme, authority, path],
            both("reset(PROTOCOL_ERROR) | - | open"),
        ),
        of(
            "a pseudo-field that is not known",
            &[method, scheme, authority, path, (":x", "y"), signed],
            both("goaway(PROTOCOL_ERROR) | - | closed"),
        ),
        of(
            "a status in a request",
            &[method, scheme, authority, path, (":status", "200"), signed],
            both("reset(PROTOCOL_ERROR) | - | open"),
        ),
        of(
            "an authority and another host",
            &[method, scheme, authority, path, ("host", "other"), signed],
            both("200 | processed | open"),
        ),
        of(
            "an authority that is none",
            &[method, scheme, (":authority", "a b/c"), path, signed],
            both("reset(PROTOCOL_ERROR) | - | open"),
        ),
        of(
            "a scheme that is none",
            &[method, (":scheme", "ht tp"), authority, path, signed],
            both("reset(PROTOCOL_ERROR) | - | open"),
        ),
        row(
            "a name in capitals",
            &[("X-Webhook-Signature", "{sig}")],
            both("goaway(PROTOCOL_ERROR) | - | closed"),
        ),
        row("an empty name", &[("", "x")], both("goaway(PROTOCOL_ERROR) | - | closed")),
        row("a name with a colon", &[("x:y", "z")], both("goaway(PROTOCOL_ERROR) | - | closed")),
        row("a name with a line end", &[("x\r\ny", "z")], both("goaway(PROTOCOL_ERROR) | - | closed")),
        row(
            "a value with line ends",
            &[("x", "y\r\nx-injected: z")],
            both("goaway(PROTOCOL_ERROR) | - | closed"),
        ),
        row("a value with NUL", &[("x", "y\0z")], both("goaway(PROTOCOL_ERROR) | - | closed")),
        row("a value with white space around it", &[("x", " y ")], both("200 | processed | open")),
        row("a value in UTF-8", &[("x", "é")], both("200 | processed | open")),
        of(
            "a signature with white space before it",
            &[method, scheme, path, ("x-webhook-signature", " {sig}")],
            both("400 | refused | open"),
        ),
        row("connection", &[("connection", "close")], both("reset(PROTOCOL_ERROR) | - | open")),
        row(
            "connection that names the signature",
            &[("connection", "x-webhook-signature")],
            both("reset(PROTOCOL_ERROR) | - | open"),
        ),
        row("chunked", &[("transfer-encoding", "chunked")], both("reset(PROTOCOL_ERROR) | - | open")),
        row("keep-alive", &[("keep-alive", "timeout=5")], both("reset(PROTOCOL_ERROR) | - | open")),
        row("upgrade", &[("upgrade", "h2c")], both("reset(PROTOCOL_ERROR) | - | open")),
        row("te: gzip", &[("te", "gzip")], both("reset(PROTOCOL_ERROR) | - | open")),
        row("te: trailers", &[("te", "trailers")], both("200 | processed | open")),
        row("the same signature again", &[signed], both("200 | processed | open")),
        row(
            "a second signature that is wrong",
            &[("x-webhook-signature", "{forged}")],
            both("400 | refused | open"),
        ),
        row("an expectation", &[("expect", "100-continue")], both("200 | processed | open")),
        at(
            "a path without a slash",
            "{key}/hmac",
            each(
                "reset(PROTOCOL_ERROR) | - | open",
                "404 | - | open",
                "actix-web looks for a route of that name, and has none",
            ),
        ),
        at("an empty path", "", both("reset(PROTOCOL_ERROR) | - | open")),
        at("an asterisk", "*", both("404 | - | open")),
        at("a path with a space", "/{key}/hmac x", both("reset(PROTOCOL_ERROR) | - | open")),
        at("a path with a line end", "/{key}/hmac\r\nx: y", both("reset(PROTOCOL_ERROR) | - | open")),
        at("a path with a fragment", "/{key}/hmac#x", both("200 | processed | open")),
        at("a tenant", "/webhooks/retake/{key}", both("200 | processed | open")),
        at("a tenant that is not UTF-8", "/webhooks/retake/{key}%ff", both("404 | unnamed | open")),
        of("CONNECT", &[(":method", "CONNECT"), authority], both("404 | - | open")),
        of(
            "CONNECT for a protocol",
            &[(":method", "CONNECT"), (":protocol", "websocket"), scheme, authority, path, signed],
            each(
                "405 | - | open",
                "reset(PROTOCOL_ERROR) | - | open",
                "axum::serve allows RFC 8441, for a route of that method",
            ),
        ),
        of(
            "a method that is no token",
            &[(":method", "PO ST"), scheme, authority, path, signed],
            both("goaway(PROTOCOL_ERROR) | - | closed"),
        ),
        of(
            "HEAD with a body",
            &[(":method", "HEAD"), scheme, authority, path, signed],
            each("405 | - | open", "404 | - | open", ROUTERS),
        ),
        http2(
            "a challenge",
            vec![headers(BOTH, &get("/{key}/dropbox?challenge=abc"))],
            both("200 | handshake | open"),
        ),
        http2(
            "a challenge with encoded line ends",
            vec![headers(BOTH, &get("/{key}/dropbox?challenge=a%0d%0ab"))],
            both("403 | refused | open"),
        ),
        http2(
            "a challenge with plain line ends",
            vec![headers(BOTH, &get("/{key}/dropbox?challenge=a\r\nb"))],
            both("reset(PROTOCOL_ERROR) | - | open"),
        ),
        http2(
            "a challenge of markup",
            vec![headers(BOTH, &get("/{key}/dropbox?challenge=%3Cb%3E"))],
            both("403 | refused | open"),
        ),
        http2(
            "a challenge with a delivery as its data",
            vec![headers(END_HEADERS, &get("/{key}/dropbox?challenge=abc")), data(END_STREAM, "{smuggled}")],
            both("200 | handshake | open"),
        ),
        http2("a body that was signed compressed", compressed(), both("200 | processed | open")),
        http2("90 headers", many(90), both("200 | processed | open")),
        http2("400 headers in continuations", many(400), both("200 | processed | open")),
        http2(
            "4,000 headers in continuations",
            many(4_000),
            each("goaway(ENHANCE_YOUR_CALM) | - | closed", "200 | processed | open", LISTS),
        ),
        http2(
            "100,000 headers of 100,000 names",
            names(100_000),
            each(
                "goaway(ENHANCE_YOUR_CALM) | - | closed",
                "- | - | closed",
                "http 0.2, of actix-http, panics, which ends this connection alone",
            ),
        ),
        http2(
            "a header of 64 KB in continuations",
            long(64 << 10),
            each("goaway(ENHANCE_YOUR_CALM) | - | closed", "200 | processed | open", LISTS),
        ),
        http2(
            "a header of 1 MB in continuations",
            long(1 << 20),
            each("goaway(ENHANCE_YOUR_CALM) | - | closed", "200 | processed | open", LISTS),
        ),
        http2(
            "a header block that is none",
            vec![raw(HEADERS, BOTH, STREAM, [0xff; 20])],
            both("goaway(PROTOCOL_ERROR) | - | closed"),
        ),
        http2(
            "a header block that refers to nothing",
            vec![raw(HEADERS, BOTH, STREAM, [0xfe, 0xbe])],
            both("goaway(PROTOCOL_ERROR) | - | closed"),
        ),
    ]
}

fn compressed() -> Vec<Step> {
    let head = |lane: &Lane| {
        let signed = ("x-webhook-signature", &*signature(gzipped()));
        let [method, scheme, authority, path, _] = GENUINE;
        let fields = [method, scheme, authority, path, ("content-encoding", "gzip"), signed];
        frame(HEADERS, END_HEADERS, STREAM, &filled(lane, &fields))
    };
    vec![Step::Send(Box::new(head)), raw(0, END_STREAM, STREAM, gzipped())]
}

/// A delivery with so many headers besides. Of one name, no more than some thousands: debug builds of http 0.2, in actix-http, check each
/// against all, and 100,000 take half a minute.
fn many(count: usize) -> Vec<Step> {
    continued(block(&[("x", "y")]).repeat(count))
}

fn names(count: usize) -> Vec<Step> {
    let fields: Vec<_> = (0..count).map(|number| (format!("x{number}"), "y")).collect();
    continued(block(&fields))
}

fn long(size: usize) -> Vec<Step> {
    continued(block(&[("x", "y".repeat(size))]))
}

/// A delivery whose header block goes on with this, in frames of 16 KB.
fn continued(more: Vec<u8>) -> Vec<Step> {
    let head = move |lane: &Lane| {
        let block = [filled(lane, &GENUINE), more.clone()].concat();
        let mut chunks = block.chunks(16_384).peekable();
        let mut frames = Vec::new();
        while let Some(chunk) = chunks.next() {
            let kind = if frames.is_empty() { HEADERS } else { CONTINUATION };
            let flags = if chunks.peek().is_none() { END_HEADERS } else { 0 };
            frames.extend(frame(kind, flags, STREAM, chunk));
        }
        frames
    };
    vec![Step::Send(Box::new(head)), data(END_STREAM, "{body}")]
}
