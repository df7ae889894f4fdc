//! `Probe`: what is sent over one connection, and what each server makes of it.

use std::{fmt, net::SocketAddr, time::Duration};

use countersign_tests::server::Framework;
use tokio::time::sleep;

use crate::{
    http1,
    http2::{self, End, How, NEXT_STREAM},
    lane::{Lane, NEXT, SECRET, TOKEN, VERIFY_TOKEN, signature},
    log::LOG,
    wire::Wire,
};

/// A row of the suite.
pub struct Probe {
    pub name: &'static str,
    pub protocol: Protocol,
    pub steps: Vec<Step>,
    pub expect: Expect,
    /// Whether it waits for a time-out.
    pub is_slow: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Http1,
    /// HTTP/1.1 as well; the first answer has no body.
    Head,
    Http2,
}

/// Makes the bytes for a lane.
pub type Make = Box<dyn Fn(&Lane) -> Vec<u8> + Send + Sync>;

pub enum Step {
    Send(Make),
    /// Sends so many bytes at a time, after this pause, until there is an answer.
    Drip(String, usize, Duration),
    /// Waits until something has come back.
    Await,
    /// Waits until there are so many answers.
    Answers(usize),
    /// No answer is to come: the next delivery is sent at once.
    NoAnswer,
    /// Ends this direction of the connection.
    End,
}

/// What a client and our log see of a probe. In `401 200 | refused processed | open`, the first part lists the answers. The second
/// part lists the outcomes in our log, `-` if nothing reached us. The third part says what became of the connection:
/// - `open`: the next delivery on it was handled.
/// - `closed`: the server closed it.
/// - `swallowed`: the server took the next delivery for a part of the request before it.
/// - `held`: the server neither answered nor closed.
/// - `either`: open or closed. A server may close after an answer if it has not read the whole body, which depends on timing.
///
/// `*` stands for a part that depends on timing. In place of outcomes, it includes no processed delivery.
#[derive(Clone, Copy, Debug)]
pub enum Expect {
    /// Both servers do this.
    Both(&'static str),
    /// The servers differ. `why` names the cause.
    Each { hyper: &'static str, actix: &'static str, why: &'static str },
}

impl Expect {
    pub fn of(self, framework: Framework) -> &'static str {
        match (self, framework) {
            (Self::Both(seen), _)
            | (Self::Each { hyper: seen, .. }, Framework::Axum)
            | (Self::Each { actix: seen, .. }, Framework::Actix) => seen,
        }
    }

    /// Whether what was seen of the framework's server is as expected.
    pub fn is(self, framework: Framework, seen: &str) -> bool {
        let parts = |words: &'static str| words.split(" | ").zip(["answers", "outcomes", "end"]);
        parts(self.of(framework)).zip(seen.split(" | ")).all(|((expected, part), seen)| {
            match (part, expected) {
                ("outcomes", "*") => !seen.contains("processed"),
                (_, "*") => true,
                ("end", "either") => ["open", "closed"].contains(&seen),
                _ => expected == seen,
            }
        })
    }
}

/// Reasons that several subjects share.
pub const ROUTERS: &str = "what a route has no method for is 405 in axum, and 404 in actix-web";
pub const SMUGGLING: &str =
    "RFC 9112, 6.1 allows both; hyper goes by the chunks and closes, so that what follows is no request";

/// A probe over HTTP/1.1.
pub fn http1(name: &'static str, steps: Vec<Step>, expect: Expect) -> Probe {
    Probe { name, protocol: Protocol::Http1, steps, expect, is_slow: false }
}

/// A probe over HTTP/2.
pub fn http2(name: &'static str, steps: Vec<Step>, expect: Expect) -> Probe {
    Probe { protocol: Protocol::Http2, ..http1(name, steps, expect) }
}

/// A slow one.
pub fn slow(probe: Probe) -> Probe {
    Probe { is_slow: true, ..probe }
}

/// A template's text: see [`Lane::fill`].
pub fn text(template: impl Into<String>) -> Step {
    let template = template.into();
    Step::Send(Box::new(move |lane| lane.fill(&template).into_bytes()))
}

/// What one server made of a probe.
#[derive(Debug)]
pub struct Seen {
    answers: Vec<(String, String)>,
    end: &'static str,
    shown: String,
    is_unordered: bool,
}

impl Probe {
    pub async fn run(&self, lane: &Lane, address: SocketAddr) -> Result<Seen, String> {
        let mut wire = Wire::connect(address).await;
        if self.protocol == Protocol::Http2 {
            wire.send(&http2::opening()).await;
            wire.until(|received| http2::ends(&received.bytes).1).await;
            wire.send(&http2::frame(http2::SETTINGS, http2::ACK, 0, &[])).await;
        }
        for step in &self.steps {
            match step {
                Step::Send(bytes) => wire.send(&bytes(lane)).await,
                Step::Drip(template, size, pause) => {
                    for bytes in lane.fill(template).as_bytes().chunks(*size) {
                        sleep(*pause).await;
                        if !wire.is_open() || self.answered(&wire.received().bytes) > 0 {
                            break;
                        }
                        wire.send(bytes).await;
                    }
                }
                Step::Answers(count) => {
                    wire.until(|received| self.answered(&received.bytes) >= *count).await;
                }
                Step::NoAnswer => {}
                Step::Await => drop(wire.until(|received| !received.bytes.is_empty()).await),
                Step::End => wire.end().await,
            }
        }
        let is_final = matches!(self.steps.last(), Some(Step::NoAnswer));
        if is_final || wire.until(|received| self.answered(&received.bytes) > 0).await {
            wire.send(&self.next(lane)).await;
            wire.until(|received| self.is_next_answered(&received.bytes)).await;
        }
        let received = wire.received();
        let mut answers = self.answers(&received.bytes)?;
        let is_open = self.is_next_answered(&received.bytes);
        answers.retain(|(status, _)| status != "202");
        let end = match (is_open, received.closed, answers.is_empty()) {
            (true, ..) => "open",
            (_, true, _) => "closed",
            (.., false) => "swallowed",
            (.., true) => "held",
        };
        let shown = String::from_utf8_lossy(&received.bytes).into_owned();
        Ok(Seen { answers, end, shown, is_unordered: self.protocol == Protocol::Http2 })
    }

    /// Each answer's status with its body.
    fn answers(&self, bytes: &[u8]) -> Result<Vec<(String, String)>, String> {
        if self.protocol == Protocol::Http2 {
            let shown = |end: End| (end.how.to_string(), end.body);
            return Ok(http2::ends(bytes).0.into_iter().map(shown).collect());
        }
        let answers = http1::answers(bytes, self.protocol == Protocol::Head)?;
        Ok(answers.into_iter().map(|answer| (answer.status.to_string(), answer.body)).collect())
    }

    fn answered(&self, bytes: &[u8]) -> usize {
        let answers = self.answers(bytes).unwrap_or_default();
        answers.iter().filter(|(status, _)| status != "100").count()
    }

    fn is_next_answered(&self, bytes: &[u8]) -> bool {
        self.answers(bytes).is_ok_and(|answers| answers.iter().any(|(status, _)| status == "202"))
    }

    /// The delivery that is sent behind the probe.
    fn next(&self, lane: &Lane) -> Vec<u8> {
        if self.protocol != Protocol::Http2 {
            return lane.fill("{next}").into_bytes();
        }
        let fields = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", "/{key}/hmac"),
            ("x-webhook-signature", &signature(NEXT)),
        ];
        let head = http2::filled(lane, &fields);
        let head = http2::frame(http2::HEADERS, http2::END_HEADERS, NEXT_STREAM, &head);
        [head, http2::frame(http2::DATA, http2::END_STREAM, NEXT_STREAM, NEXT.as_bytes())].concat()
    }
}

impl Seen {
    /// In the words of [`Expect`].
    pub fn in_words(&self, lane: &Lane) -> String {
        let mut outcomes: Vec<_> = LOG.of(&lane.key).into_iter().map(|line| line.outcome).collect();
        if self.end == "open" {
            let next = outcomes.iter().rposition(|outcome| outcome == "processed");
            next.map(|next| outcomes.remove(next));
        }
        // Our log names no tenant that there is not.
        let is_ours = |(_, body): &(String, String)| body.starts_with(r#"{"type":"about:blank""#);
        if outcomes.is_empty() && self.answers.iter().any(is_ours) {
            outcomes.push("unnamed".to_owned());
        }
        let list = |mut words: Vec<&str>| {
            // Streams are answered in any order.
            if self.is_unordered {
                words.sort_unstable();
            }
            if words.is_empty() { "-".to_owned() } else { words.join(" ") }
        };
        let statuses = list(self.answers.iter().map(|(status, _)| &**status).collect());
        let outcomes = list(outcomes.iter().map(|outcome| &**outcome).collect());
        format!("{statuses} | {outcomes} | {}", self.end)
    }

    /// The promises that must hold for every probe, and do not.
    pub fn broken_promises(&self, lane: &Lane) -> Vec<String> {
        let (lines, seen) = (LOG.of(&lane.key), lane.seen());
        let mut broken = Vec::new();
        let processed = lines.iter().filter(|line| line.outcome == "processed").count();
        if processed != seen.len() {
            broken.push(format!("{} runs of the handler, and {processed} deliveries", seen.len()));
        }
        for (index, body) in seen.iter().enumerate() {
            if !Lane::is_genuine(body) || seen[..index].contains(body) {
                broken.push(format!("the handler ran for {:?}", String::from_utf8_lossy(body)));
            }
        }
        for (status, body) in &self.answers {
            let problem = body.starts_with(r#"{"type":"about:blank","title":""#)
                && body.ends_with(&format!(r#","status":{status}}}"#));
            let echo = status == "200" && body.bytes().all(|b| b.is_ascii_graphic() && !b"<>".contains(&b));
            if !body.is_empty() && !problem && !echo {
                broken.push(format!("{status} was answered with {body:?}"));
            }
        }
        let private = [SECRET, TOKEN, VERIFY_TOKEN, "pr1vate"].map(str::to_owned);
        let reasons = lines.into_iter().map(|line| line.reason).filter(|reason| !reason.is_empty());
        for word in private.into_iter().chain(reasons) {
            if self.shown.contains(&word) {
                broken.push(format!("{word:?} was answered"));
            }
        }
        broken
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, code) = match self {
            Self::Answered(status) => return status.fmt(f),
            Self::Reset(code) => ("reset", code),
            Self::GoAway(code) => ("goaway", code),
        };
        let name = match code {
            0 => "NO_ERROR",
            1 => "PROTOCOL_ERROR",
            2 => "INTERNAL_ERROR",
            3 => "FLOW_CONTROL_ERROR",
            5 => "STREAM_CLOSED",
            6 => "FRAME_SIZE_ERROR",
            7 => "REFUSED_STREAM",
            8 => "CANCEL",
            9 => "COMPRESSION_ERROR",
            11 => "ENHANCE_YOUR_CALM",
            _ => "?",
        };
        write!(f, "{what}({name})")
    }
}

/// A genuine delivery to `/{key}/hmac` with these header lines and what stands behind its head.
pub fn post(lines: impl AsRef<str>, wire: &str) -> Vec<Step> {
    post_to("/{key}/hmac", format!("x-webhook-signature: {{sig}}\r\n{}", lines.as_ref()), wire)
}

/// A `POST` to this path.
pub fn post_to(path: &str, lines: impl AsRef<str>, wire: &str) -> Vec<Step> {
    request(&format!("POST {path} HTTP/1.1"), lines, wire)
}

/// A request with this first line.
pub fn request(line: &str, lines: impl AsRef<str>, wire: &str) -> Vec<Step> {
    vec![text(format!("{line}\r\nhost: test\r\n{}\r\n{wire}", lines.as_ref()))]
}

pub const fn both(seen: &'static str) -> Expect {
    Expect::Both(seen)
}

pub const fn each(hyper: &'static str, actix: &'static str, why: &'static str) -> Expect {
    Expect::Each { hyper, actix, why }
}

/// These steps, and then the end of this direction of the connection.
pub fn cut_off(mut steps: Vec<Step>) -> Vec<Step> {
    steps.push(Step::End);
    steps
}
