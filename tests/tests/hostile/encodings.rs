//! `Transfer-Encoding`, alone and beside a length (RFC 9112, 6.1).

use crate::probe::{Probe, SMUGGLING, both, each, http1, post, request};

const CHUNKED: &str = "{hex}\r\n{body}\r\n0\r\n\r\n";

const LAST: &str = "hyper looks at the last encoding alone; what is verified is what it decoded";

pub fn probes() -> Vec<Probe> {
    let row = |name, lines, wire, expect| http1(name, post(lines, wire), expect);
    let chunked = |name, lines, expect| http1(name, post(lines, CHUNKED), expect);
    let old = |name, lines: &str, wire, expect| {
        let lines = format!("x-webhook-signature: {{sig}}\r\n{lines}");
        http1(name, request("POST /{key}/hmac HTTP/1.0", lines, wire), expect)
    };
    vec![
        chunked("chunked", "transfer-encoding: chunked\r\n", both("200 | processed | open")),
        chunked("chunked in odd case", "Transfer-Encoding: ChUnKeD\r\n", both("200 | processed | open")),
        chunked(
            "chunked, chunked",
            "transfer-encoding: chunked, chunked\r\n",
            each("200 | processed | open", "400 | - | closed", LAST),
        ),
        chunked(
            "chunked in two lines",
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
            each("200 | processed | open", "400 | - | closed", LAST),
        ),
        chunked(
            "gzip, chunked",
            "transfer-encoding: gzip, chunked\r\n",
            each("200 | processed | open", "400 | - | closed", LAST),
        ),
        chunked(
            "gzip and chunked in two lines",
            "transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n",
            each("200 | processed | open", "400 | - | closed", LAST),
        ),
        chunked("chunked, gzip", "transfer-encoding: chunked, gzip\r\n", both("400 | - | closed")),
        chunked("chunked, identity", "transfer-encoding: chunked, identity\r\n", both("400 | - | closed")),
        row("identity", "transfer-encoding: identity\r\n", "{body}", both("400 | - | closed")),
        row(
            "identity beside a length",
            "transfer-encoding: identity\r\ncontent-length: {len}\r\n",
            "{body}",
            both("400 | - | closed"),
        ),
        chunked("an unknown encoding", "transfer-encoding: xchunked\r\n", both("400 | - | closed")),
        row(
            "an unknown encoding beside a length",
            "transfer-encoding: xchunked\r\ncontent-length: {len}\r\n",
            "{body}",
            both("400 | - | closed"),
        ),
        chunked("an empty encoding", "transfer-encoding:\r\n", both("400 | - | closed")),
        chunked("an encoding in quotes", "transfer-encoding: \"chunked\"\r\n", both("400 | - | closed")),
        chunked(
            "an encoding with a comma behind it",
            "transfer-encoding: chunked,\r\n",
            both("400 | - | closed"),
        ),
        chunked(
            "an encoding with a parameter",
            "transfer-encoding: chunked;q=1\r\n",
            both("400 | - | closed"),
        ),
        chunked(
            "an encoding with a vertical tab",
            "transfer-encoding: \x0bchunked\r\n",
            both("400 | - | closed"),
        ),
        chunked("a folded encoding", "transfer-encoding:\r\n chunked\r\n", both("400 | - | closed")),
        chunked(
            "an encoding whose name has a space behind it",
            "transfer-encoding : chunked\r\n",
            both("400 | - | closed"),
        ),
        chunked(
            "an encoding behind a bare line feed",
            "x: y\ntransfer-encoding: chunked\r\n",
            both("200 | processed | open"),
        ),
        chunked(
            "a length before chunked",
            "content-length: {len}\r\ntransfer-encoding: chunked\r\n",
            each("200 | processed | closed", "400 | - | closed", SMUGGLING),
        ),
        chunked(
            "chunked before a length",
            "transfer-encoding: chunked\r\ncontent-length: {len}\r\n",
            each("200 | processed | closed", "400 | - | closed", SMUGGLING),
        ),
        row(
            "a length around a request, which chunked would end before it",
            "content-length: 99{smuggled-len}\r\ntransfer-encoding: chunked\r\n",
            "0\r\n\r\n{smuggled}",
            each("401 | refused | closed", "400 | - | closed", SMUGGLING),
        ),
        old(
            "HTTP/1.0 with a length",
            "content-length: {len}\r\n",
            "{body}",
            both("200 | processed | closed"),
        ),
        old(
            "HTTP/1.0 that is kept alive",
            "connection: keep-alive\r\ncontent-length: {len}\r\n",
            "{body}",
            both("200 | processed | open"),
        ),
        old("HTTP/1.0 with chunked", "transfer-encoding: chunked\r\n", CHUNKED, both("400 | - | closed")),
        old(
            "HTTP/1.0 without a length",
            "",
            "{body}",
            each(
                "401 | refused | closed",
                "400 | - | closed",
                "actix-http asks for the length of a POST in HTTP/1.0",
            ),
        ),
    ]
}
