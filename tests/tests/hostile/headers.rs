//! Headers: too many, too long, repeated, and with bytes that do not belong there (RFC 9110, 5.5; RFC 9112, 5).

use crate::probe::{Expect, Probe, Step, both, each, http1, post, post_to, request, text};

const LENGTH: &str = "content-length: {len}\r\n";

pub fn probes() -> Vec<Probe> {
    // Beside the genuine signature.
    let row = |name, lines: &str, expect| http1(name, post(format!("{lines}{LENGTH}"), "{body}"), expect);
    // In place of it.
    let signed = |name, lines: &str, expect| {
        http1(name, post_to("/{key}/hmac", format!("{lines}{LENGTH}"), "{body}"), expect)
    };
    let lines = |line: &str, count| line.repeat(count);
    let mut probes = vec![
        row("90 headers", &lines("x: y\r\n", 87), both("200 | processed | open")),
        row("1,000 headers", &lines("x: y\r\n", 1000), both("431 | - | closed")),
        row("100,000 headers", &lines("x: y\r\n", 100_000), both("431 | - | closed")),
        row("a header of 8 KB", &format!("x: {}\r\n", "y".repeat(8 << 10)), both("200 | processed | open")),
        row("a header of 64 KB", &format!("x: {}\r\n", "y".repeat(64 << 10)), both("200 | processed | open")),
        row("a header of 1 MB", &format!("x: {}\r\n", "y".repeat(1 << 20)), both("431 | - | closed")),
        row(
            "a name of 64 KB",
            &format!("{}: y\r\n", "x".repeat(64 << 10)),
            each("431 | - | closed", "- | - | closed", "actix-http panics, which ends this connection alone"),
        ),
        row(
            "50 signatures that are the same",
            &lines("x-webhook-signature: {sig}\r\n", 50),
            both("200 | processed | open"),
        ),
        row(
            "a second signature that is wrong",
            "x-webhook-signature: {forged}\r\n",
            both("400 | refused | either"),
        ),
        row("a second signature that is empty", "x-webhook-signature:\r\n", both("400 | refused | either")),
        row(
            "a second signature in another case",
            "X-WEBHOOK-SIGNATURE: {forged}\r\n",
            both("400 | refused | either"),
        ),
        signed(
            "a wrong signature before the right one",
            "x-webhook-signature: {forged}\r\nx-webhook-signature: {sig}\r\n",
            both("400 | refused | either"),
        ),
        signed("no signature", "", both("400 | refused | either")),
        signed("an empty signature", "x-webhook-signature:\r\n", both("400 | refused | either")),
        signed(
            "a signature without its prefix's digest",
            "x-webhook-signature: sha256=\r\n",
            both("400 | refused | either"),
        ),
        signed("a wrong signature", "x-webhook-signature: {forged}\r\n", both("401 | refused | open")),
        signed(
            "white space around a signature",
            "x-webhook-signature: \t {sig}\t \r\n",
            both("200 | processed | open"),
        ),
        signed(
            "no white space before a signature",
            "x-webhook-signature:{sig}\r\n",
            both("200 | processed | open"),
        ),
        signed(
            "a comma behind a signature",
            "x-webhook-signature: {sig},\r\n",
            both("400 | refused | either"),
        ),
        signed(
            "a list of signatures",
            "x-webhook-signature: {sig}, {forged}\r\n",
            both("400 | refused | either"),
        ),
        signed("a signature in quotes", "x-webhook-signature: \"{sig}\"\r\n", both("400 | refused | either")),
        signed(
            "a signature's name in odd case",
            "X-WebHook-SIGNATURE: {sig}\r\n",
            both("200 | processed | open"),
        ),
        signed("a name with a space behind it", "x-webhook-signature : {sig}\r\n", both("400 | - | closed")),
        signed(
            "a name with a space before it",
            "x: y\r\n x-webhook-signature: {sig}\r\n",
            both("400 | - | closed"),
        ),
        signed("a name with an underscore", "x_webhook_signature: {sig}\r\n", both("400 | refused | either")),
        signed("a folded signature", "x-webhook-signature:\r\n {sig}\r\n", both("400 | - | closed")),
        signed(
            "a signature behind a bare line feed",
            "x: y\nx-webhook-signature: {sig}\r\n",
            both("200 | processed | open"),
        ),
        signed(
            "a signature behind a bare carriage return",
            "x: y\rx-webhook-signature: {sig}\r\n",
            both("400 | - | closed"),
        ),
        signed(
            "a signature with NUL behind it",
            "x-webhook-signature: {sig}\0\r\n",
            both("400 | - | closed"),
        ),
        signed(
            "a signature of 64 KB",
            &format!("x-webhook-signature: {{sig}}{}\r\n", "0".repeat(64 << 10)),
            both("400 | refused | either"),
        ),
        row("NUL in a value", "x: a\0b\r\n", both("400 | - | closed")),
        row("a tab in a value", "x: a\tb\r\n", both("200 | processed | open")),
        row("a control character in a value", "x: a\x01b\r\n", both("400 | - | closed")),
        row("DEL in a value", "x: a\x7fb\r\n", both("400 | - | closed")),
        row("UTF-8 in a value", "x: é\r\n", both("200 | processed | open")),
        row("UTF-8 in a name", "é: x\r\n", both("400 | - | closed")),
        row("NUL in a name", "x\0: y\r\n", both("400 | - | closed")),
        row("a name with parentheses", "x(y): z\r\n", both("400 | - | closed")),
        row("an empty name", ": y\r\n", both("400 | - | closed")),
        row("a line without a colon", "xyz\r\n", both("400 | - | closed")),
        row(
            "a second host",
            "host: other\r\n",
            each(
                "200 | processed | open",
                "400 | - | closed",
                "hyper leaves hosts to the application, and we read none",
            ),
        ),
        row(
            "forwarding headers",
            "x-forwarded-host: a\r\nx-original-url: /b\r\nx-http-method-override: GET\r\n",
            both("200 | processed | open"),
        ),
        row(
            "an upgrade to HTTP/2",
            "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n",
            each(
                "200 | processed | open",
                "200 | processed | closed",
                "actix-http closes what asked for an upgrade",
            ),
        ),
        row(
            "a connection header that names the signature",
            "connection: x-webhook-signature\r\n",
            both("200 | processed | open"),
        ),
        http1("line feeds for line ends", bare_line_feeds(), both("200 | processed | open")),
        http1(
            "no host",
            hostless(""),
            each(
                "200 | processed | open",
                "400 | - | closed",
                "hyper leaves hosts to the application, and we read none",
            ),
        ),
        http1("an empty host", hostless("host:\r\n"), both("200 | processed | open")),
        http1("a host that is none", hostless("host: a b/c@d\r\n"), both("200 | processed | open")),
    ];
    probes.push(bytes(
        "a byte beyond ASCII behind a signature",
        b"x-webhook-signature: {sig}",
        b"\x80",
        both("400 | refused | either"),
    ));
    probes.push(bytes(
        "a byte beyond ASCII in another value",
        b"x-webhook-signature: {sig}\r\nx: ",
        b"\xff",
        both("200 | processed | open"),
    ));
    probes.push(http1(
        "the signature beside 80 of other cases of its name",
        request(
            "POST /{key}/hmac HTTP/1.1",
            format!("{}{LENGTH}", lines("X-webhook-SIGNATURE: {sig}\r\n", 80)),
            "{body}",
        ),
        both("200 | processed | open"),
    ));
    probes
}

/// A `POST` with these bytes behind that text, in its head.
fn bytes(name: &'static str, text: &'static [u8], bytes: &'static [u8], expect: Expect) -> Probe {
    let send = move |lane: &crate::lane::Lane| {
        let fill = |text: &[u8]| lane.fill(std::str::from_utf8(text).unwrap()).into_bytes();
        let line = fill(b"POST /{key}/hmac HTTP/1.1\r\nhost: test\r\n");
        [line, fill(text), bytes.to_vec(), fill(b"\r\ncontent-length: {len}\r\n\r\n{body}")].concat()
    };
    http1(name, vec![Step::Send(Box::new(send))], expect)
}

fn bare_line_feeds() -> Vec<Step> {
    vec![text(
        "POST /{key}/hmac HTTP/1.1\nhost: test\nx-webhook-signature: {sig}\ncontent-length: {len}\n\n{body}",
    )]
}

fn hostless(line: &str) -> Vec<Step> {
    let head = format!("POST /{{key}}/hmac HTTP/1.1\r\n{line}x-webhook-signature: {{sig}}\r\n{LENGTH}");
    vec![text(format!("{head}\r\n{{body}}"))]
}
