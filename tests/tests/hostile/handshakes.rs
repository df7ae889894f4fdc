//! Handshakes that bring what must not come back: line ends, markup, more than an answer should hold.

use crate::probe::{Probe, Protocol, ROUTERS, both, each, http1, post_to, request};

pub fn probes() -> Vec<Probe> {
    let get =
        |name, target: &str, expect| http1(name, request(&format!("GET {target} HTTP/1.1"), "", ""), expect);
    let dropbox = |name, query: &str, expect| get(name, &format!("/{{key}}/dropbox?{query}"), expect);
    let meta = |name, query: &str, expect| {
        get(name, &format!("/{{key}}/meta?hub.mode=subscribe&hub.verify_token={{verify}}&{query}"), expect)
    };
    let tenant = |name, query: &str, expect| {
        get(name, &format!("/webhooks/meta/{{key}}?hub.mode=subscribe&hub.verify_token={query}"), expect)
    };
    let long = |size| "x".repeat(size);
    let url_verification = r#"{"type":"url_verification","challenge":"abc","token":"pr1vate"}"#;
    let length = format!("content-length: {}\r\n", url_verification.len());
    vec![
        dropbox("a challenge", "challenge=abc123", both("200 | handshake | open")),
        dropbox(
            "a challenge with encoded line ends",
            "challenge=a%0d%0aX-Injected:%201%0d%0a%0d%0abody",
            both("403 | refused | open"),
        ),
        dropbox(
            "a challenge with an encoded line feed",
            "challenge=a%0aX-Injected:1",
            both("403 | refused | open"),
        ),
        dropbox(
            "a challenge with line ends in UTF-8 of two bytes",
            "challenge=a%c4%8d%c4%8aX-Injected:1",
            both("403 | refused | open"),
        ),
        dropbox(
            "a challenge of markup",
            "challenge=%3Cscript%3Ealert(1)%3C/script%3E",
            both("403 | refused | open"),
        ),
        dropbox(
            "a challenge of plain markup",
            "challenge=<script>alert(1)</script>",
            both("400 | - | closed"),
        ),
        dropbox(
            "a challenge of 256 characters",
            &format!("challenge={}", long(256)),
            both("200 | handshake | open"),
        ),
        dropbox(
            "a challenge of 257 characters",
            &format!("challenge={}", long(257)),
            both("403 | refused | open"),
        ),
        dropbox("a challenge of 60 KB", &format!("challenge={}", long(60_000)), both("403 | refused | open")),
        dropbox("an empty challenge", "challenge=", both("403 | refused | open")),
        dropbox("no challenge", "", both("403 | refused | open")),
        dropbox("a challenge with an encoded NUL", "challenge=%00", both("403 | refused | open")),
        dropbox("a challenge that is not UTF-8", "challenge=%e9", both("403 | refused | open")),
        dropbox(
            "a challenge in plain UTF-8",
            "challenge=é",
            each(
                "403 | refused | open",
                "400 | - | closed",
                "hyper takes UTF-8 in a target, and actix-http does not",
            ),
        ),
        dropbox("a challenge in bad percent-encoding", "challenge=a%zz", both("403 | refused | open")),
        dropbox("a challenge twice", "challenge=a&challenge=a", both("200 | handshake | open")),
        dropbox("two challenges", "challenge=a&challenge=b", both("403 | refused | open")),
        dropbox("a challenge in place of another's name", "%63hallenge=abc", both("200 | handshake | open")),
        Probe {
            protocol: Protocol::Head,
            ..http1(
                "HEAD with a challenge",
                request("HEAD /{key}/dropbox?challenge=abc HTTP/1.1", "", ""),
                each("405 | - | open", "404 | - | open", ROUTERS),
            )
        },
        http1(
            "OPTIONS with a challenge",
            request("OPTIONS /{key}/dropbox?challenge=abc HTTP/1.1", "", ""),
            each("405 | - | open", "404 | - | open", ROUTERS),
        ),
        http1(
            "a challenge to POST",
            post_to("/{key}/dropbox?challenge=abc", "content-length: 0\r\n", ""),
            both("400 | refused | open"),
        ),
        http1(
            "a challenge with a delivery as its body",
            request(
                "GET /{key}/dropbox?challenge=abc HTTP/1.1",
                "content-length: {smuggled-len}\r\n",
                "{smuggled}",
            ),
            both("200 | handshake | either"),
        ),
        http1(
            "a challenge with a delivery in chunks",
            request(
                "GET /{key}/dropbox?challenge=abc HTTP/1.1",
                "transfer-encoding: chunked\r\n",
                "{smuggled-hex}\r\n{smuggled}\r\n0\r\n\r\n",
            ),
            both("200 | handshake | open"),
        ),
        meta("a verify token", "hub.challenge=abc", both("200 | handshake | open")),
        meta(
            "a verify token twice",
            "hub.verify_token={verify}&hub.challenge=abc",
            both("200 | handshake | open"),
        ),
        meta("two verify tokens", "hub.verify_token=x&hub.challenge=abc", both("403 | refused | open")),
        meta("a verify token and no challenge", "", both("403 | refused | open")),
        meta("two modes", "hub.mode=unsubscribe&hub.challenge=abc", both("403 | refused | open")),
        meta(
            "a verify token and line ends",
            "hub.challenge=%0d%0a%0d%0aHTTP/1.1%20200%20OK",
            both("403 | refused | open"),
        ),
        get(
            "a wrong verify token",
            "/{key}/meta?hub.mode=subscribe&hub.verify_token=x&hub.challenge=abc",
            both("403 | refused | open"),
        ),
        get(
            "no verify token",
            "/{key}/meta?hub.mode=subscribe&hub.challenge=abc",
            both("403 | refused | open"),
        ),
        tenant("a tenant's verify token", "{verify}&hub.challenge=abc", both("200 | handshake | open")),
        tenant("a tenant's wrong verify token", "x&hub.challenge=abc", both("403 | refused | open")),
        get(
            "a handshake where there is none",
            "/{key}/hmac?challenge=abc",
            each("405 | - | open", "404 | - | open", ROUTERS),
        ),
        get(
            "a tenant's handshake where there is none",
            "/webhooks/retake/{key}?challenge=abc",
            both("400 | refused | open"),
        ),
        http1(
            "a body that asks, unsigned",
            post_to("/webhooks/slack/{key}", &length, url_verification),
            both("400 | refused | either"),
        ),
        http1(
            "a body that asks, with a wrong signature",
            post_to(
                "/webhooks/slack/{key}",
                format!(
                    "x-slack-request-timestamp: {{now}}\r\nx-slack-signature: v0={}\r\n{length}",
                    "0".repeat(64)
                ),
                url_verification,
            ),
            both("401 | refused | open"),
        ),
        http1(
            "a body that asks, with a stale timestamp",
            post_to(
                "/webhooks/slack/{key}",
                format!(
                    "x-slack-request-timestamp: 1\r\nx-slack-signature: v0={}\r\n{length}",
                    "0".repeat(64)
                ),
                url_verification,
            ),
            both("401 | refused | either"),
        ),
    ]
}
