//! Deliveries as whole HTTP requests, prepared before they are sent: genuine ones and others.

use std::fmt::Write as _;

use bytes::Bytes;
use countersign::{Secret, Signer, provider::RetentBase};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::request::{self, SECRET};

/// Requests of one length, one behind the other.
pub struct Deliveries {
    pub text: Vec<u8>,
    pub length: usize,
}

/// What is wrong with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// A signature of the right form, of something else.
    Forged,
    /// No signature, no timestamp.
    Unsigned,
    /// A wrong shared token.
    WrongToken,
}

const SIGNATURE: HeaderName = HeaderName::from_static("x-retentbase-signature-sha256");
const TIMESTAMP: HeaderName = HeaderName::from_static("x-retentbase-timestamp");

impl Deliveries {
    /// So many, with bodies of this size. Each genuine one has ids of its own; they are numbered on from `first`.
    pub fn new(fault: Fault, size: usize, first: usize, count: usize) -> Self {
        let signer =
            Signer::<RetentBase>::new(&Secret::new(SECRET).unwrap()).kind("cancellation.outcome_updated");
        let template = String::from_utf8(request::body(size).to_vec()).unwrap();
        let mut text = Vec::new();
        for number in first..first + count {
            let body = Bytes::from(template.replacen("01HM3K5Q8ZC4", &format!("{number:012}"), 1));
            assert_eq!(body.len(), size);
            let mut headers = request::headers(&signer, &body);
            let id = HeaderValue::from_str(&format!("dlv_{number:012}")).unwrap();
            headers.insert("x-retentbase-delivery-id", id);
            spoil(fault, &mut headers);
            let path = if fault == Fault::WrongToken { "/token" } else { "/hook" };
            append(&mut text, path, &headers, &body);
        }
        Self { length: text.len() / count, text }
    }

    /// One of them; the first again behind the last.
    pub fn nth(&self, number: usize) -> &[u8] {
        let at = number % (self.text.len() / self.length) * self.length;
        &self.text[at..at + self.length]
    }
}

fn spoil(fault: Fault, headers: &mut HeaderMap) {
    match fault {
        Fault::None => return,
        Fault::Forged => {
            headers.insert(SIGNATURE, HeaderValue::from_str(&"5a".repeat(32)).unwrap());
            return;
        }
        Fault::WrongToken => {
            headers.insert("x-raaft-token", HeaderValue::from_static("not the token"));
        }
        Fault::Unsigned => {}
    }
    headers.remove(SIGNATURE);
    headers.remove(TIMESTAMP);
}

fn append(text: &mut Vec<u8>, path: &str, headers: &HeaderMap, body: &[u8]) {
    let mut head = format!("POST {path} HTTP/1.1\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
    }
    head.push_str("\r\n");
    text.extend_from_slice(head.as_bytes());
    text.extend_from_slice(body);
}
