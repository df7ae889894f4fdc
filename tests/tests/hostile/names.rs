//! Methods, targets and versions (RFC 9112, 3; RFC 9110, 9).

use crate::{
    lane::Lane,
    probe::{Probe, Protocol, ROUTERS, Step, both, each, http1, request},
};

const LINES: &str = "x-webhook-signature: {sig}\r\ncontent-length: {len}\r\n";

pub fn probes() -> Vec<Probe> {
    let row = |name, line: &str, expect| http1(name, request(line, LINES, "{body}"), expect);
    let to = |name, path: &str, expect| row(name, &format!("POST {path} HTTP/1.1"), expect);
    let by = |name, method: &str, expect| row(name, &format!("{method} /{{key}}/hmac HTTP/1.1"), expect);
    let long = |size| "x".repeat(size);
    vec![
        by("GET", "GET", each("405 | - | either", "404 | - | either", ROUTERS)),
        Probe {
            protocol: Protocol::Head,
            ..by("HEAD", "HEAD", each("405 | - | either", "404 | - | either", ROUTERS))
        },
        by("PUT", "PUT", each("405 | - | either", "404 | - | either", ROUTERS)),
        by("OPTIONS", "OPTIONS", each("405 | - | either", "404 | - | either", ROUTERS)),
        by("TRACE", "TRACE", each("405 | - | either", "404 | - | either", ROUTERS)),
        by("CONNECT with a path", "CONNECT", each("405 | - | either", "404 | - | either", ROUTERS)),
        row("CONNECT with a host", "CONNECT test:80 HTTP/1.1", both("404 | - | either")),
        by("post in small letters", "post", each("405 | - | either", "404 | - | either", ROUTERS)),
        by("a method of one's own", "BREW", each("405 | - | either", "404 | - | either", ROUTERS)),
        by("a method that is no token", "PO(ST", both("400 | - | closed")),
        by("a method of 64 KB", &long(64 << 10), each("405 | - | either", "404 | - | either", ROUTERS)),
        by("a method of 1 MB", &long(1 << 20), both("431 | - | closed")),
        by("no method", "", both("400 | - | closed")),
        row("HTTP/1.2", "POST /{key}/hmac HTTP/1.2", both("400 | - | closed")),
        row("HTTP/2.0 in the words of HTTP/1", "POST /{key}/hmac HTTP/2.0", both("400 | - | closed")),
        row("HTTP/0.9", "POST /{key}/hmac", both("400 | - | closed")),
        row("two spaces in the first line", "POST  /{key}/hmac  HTTP/1.1", both("400 | - | closed")),
        row("a tab in the first line", "POST\t/{key}/hmac\tHTTP/1.1", both("400 | - | closed")),
        row(
            "empty lines before the first",
            "\r\n\r\nPOST /{key}/hmac HTTP/1.1",
            both("200 | processed | open"),
        ),
        row("a NUL before the first line", "\0POST /{key}/hmac HTTP/1.1", both("400 | - | closed")),
        to("a query", "/{key}/hmac?x=%00&y=%ff", both("200 | processed | open")),
        to("a fragment", "/{key}/hmac#x", both("200 | processed | open")),
        to("a slash behind the path", "/{key}/hmac/", both("404 | - | either")),
        to("two slashes before the path", "//{key}/hmac", both("404 | - | either")),
        to("two slashes in the path", "/{key}//hmac", both("404 | - | either")),
        to("dots", "/x/../{key}/hmac", both("404 | - | either")),
        to("dots that are encoded", "/x/%2e%2e/{key}/hmac", both("404 | - | either")),
        to("a slash that is encoded", "/{key}%2fhmac", both("404 | - | either")),
        to(
            "a letter that is encoded",
            "/{key}/%68mac",
            each(
                "404 | - | open",
                "200 | processed | open",
                "axum matches a path as it was sent, actix-web decoded",
            ),
        ),
        to("another case", "/{key}/HMAC", both("404 | - | either")),
        to("a path parameter", "/{key}/hmac;x=y", both("404 | - | either")),
        to("NUL in the path", "/{key}/hmac\0", both("400 | - | closed")),
        to("NUL that is encoded", "/{key}/hmac%00", both("404 | - | either")),
        to(
            "UTF-8 in the path",
            "/{key}/hmacé",
            each(
                "404 | - | open",
                "400 | - | closed",
                "hyper takes UTF-8 in a target, and actix-http does not",
            ),
        ),
        to("bad percent-encoding", "/{key}/hmac%", both("404 | - | either")),
        to("no slash", "{key}/hmac", both("400 | - | closed")),
        to("an asterisk", "*", both("404 | - | either")),
        to("an absolute form", "http://test/{key}/hmac", both("200 | processed | open")),
        to(
            "an absolute form of another host",
            "http://user@other:1/{key}/hmac",
            both("200 | processed | open"),
        ),
        to("an absolute form of another scheme", "gopher://test/{key}/hmac", both("200 | processed | open")),
        to("a path of 60 KB", &format!("/{{key}}/hmac?{}", long(60_000)), both("200 | processed | open")),
        to(
            "a path of 70 KB",
            &format!("/{{key}}/hmac?{}", long(70_000)),
            each("414 | - | closed", "400 | - | closed", "both refuse it, by statuses of their own"),
        ),
        to("a path of 1 MB", &format!("/{{key}}/hmac?{}", long(1 << 20)), both("431 | - | closed")),
        to("a tenant", "/webhooks/retake/{key}", both("200 | processed | open")),
        to(
            "a tenant with a letter that is encoded",
            "/webhooks/%72etake/{key}",
            both("200 | processed | open"),
        ),
        to("a tenant that is not known", "/webhooks/retake/{key}x", both("404 | unnamed | either")),
        to("a tenant with a blank behind it", "/webhooks/retake/{key}%20", both("404 | unnamed | either")),
        to("a tenant with NUL behind it", "/webhooks/retake/{key}%00", both("404 | unnamed | either")),
        to(
            "a tenant with a slash that is encoded",
            "/webhooks/retake/{key}%2f",
            both("404 | unnamed | either"),
        ),
        to("a tenant that is not UTF-8", "/webhooks/retake/{key}%ff", both("404 | unnamed | either")),
        to("a tenant with bad percent-encoding", "/webhooks/retake/{key}%", both("404 | unnamed | either")),
        to("a tenant with percent-encoding twice", "/webhooks/retake/%2561", both("404 | unnamed | either")),
        to("a tenant of dots", "/webhooks/retake/..", both("404 | unnamed | either")),
        to("a tenant of 5 KB", &format!("/webhooks/retake/{}", long(5_000)), both("404 | unnamed | either")),
        to("an empty tenant", "/webhooks/retake/", both("404 | - | either")),
        to("a provider in capitals", "/webhooks/RETAKE/{key}", both("404 | unnamed | either")),
        to("a provider that is not UTF-8", "/webhooks/%ff/{key}", both("404 | unnamed | either")),
        http1("a tenant in capitals", capitals(), both("404 | unnamed | either")),
    ]
}

fn capitals() -> Vec<Step> {
    let send = |lane: &Lane| {
        let lines = lane.fill(LINES);
        let (key, body) = (lane.key.to_uppercase(), crate::lane::BODY);
        format!("POST /webhooks/retake/{key} HTTP/1.1\r\nhost: test\r\n{lines}\r\n{body}").into_bytes()
    };
    vec![Step::Send(Box::new(send))]
}
