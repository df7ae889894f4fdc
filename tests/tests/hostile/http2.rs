//! HTTP/2, frame by frame (RFC 9113), so that malformed frames can be sent.
//!
//! Header blocks are literals without indexing and without the Huffman code (RFC 7541, 6.2.2): any name and value can be sent. Of an
//! answer's header block, only the first field is decoded, which is the status.

use crate::{lane::Lane, probe::Step};

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

/// Flags.
pub const END_STREAM: u8 = 1;
pub const ACK: u8 = 1;
pub const END_HEADERS: u8 = 4;

/// The stream of most probes, and that of what is sent behind them.
pub const STREAM: u32 = 1;
pub const NEXT_STREAM: u32 = 101;

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The bytes that open a connection. They set the header table's size to 0, so that the server sends each status as a literal.
pub fn opening() -> Vec<u8> {
    [PREFACE, &frame(SETTINGS, 0, 0, &[0, 1, 0, 0, 0, 0])].concat()
}

/// A header block of these fields.
pub fn block<N: AsRef<[u8]>, V: AsRef<[u8]>>(fields: &[(N, V)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name.as_ref(), value.as_ref()] {
            push_integer(&mut block, text.len());
            block.extend_from_slice(text);
        }
    }
    block
}

/// An integer with a prefix of seven bits (RFC 7541, 5.1), whose first bit says that the text is not in the Huffman code.
fn push_integer(block: &mut Vec<u8>, number: usize) {
    let Some(mut rest) = number.checked_sub(127) else {
        block.push(number as u8);
        return;
    };
    block.push(127);
    while rest >= 128 {
        block.push((rest % 128) as u8 | 128);
        rest /= 128;
    }
    block.push(rest as u8);
}

/// The fields of a genuine delivery of `{body}`, but for its length.
pub const GENUINE: [(&str, &str); 5] = [
    (":method", "POST"),
    (":scheme", "http"),
    (":authority", "test"),
    (":path", "/{key}/hmac"),
    ("x-webhook-signature", "{sig}"),
];

/// `HEADERS` with `GENUINE` and these fields behind it.
pub fn genuine(flags: u8, more: &[(&'static str, &'static str)]) -> Step {
    headers(flags, &[&GENUINE[..], more].concat())
}

/// `HEADERS` of these fields, which are templates.
pub fn headers(flags: u8, fields: &[(&'static str, &'static str)]) -> Step {
    let fields = fields.to_vec();
    Step::Send(Box::new(move |lane| frame(HEADERS, flags, STREAM, &filled(lane, &fields))))
}

pub fn filled(lane: &Lane, fields: &[(&str, &str)]) -> Vec<u8> {
    let fields: Vec<_> = fields.iter().map(|(name, value)| (lane.fill(name), lane.fill(value))).collect();
    block(&fields)
}

/// `DATA` of a template.
pub fn data(flags: u8, template: &'static str) -> Step {
    Step::Send(Box::new(move |lane| frame(DATA, flags, STREAM, lane.fill(template).as_bytes())))
}

/// Any frame.
pub fn raw(kind: u8, flags: u8, stream: u32, payload: impl Into<Vec<u8>>) -> Step {
    let payload = payload.into();
    Step::Send(Box::new(move |_| frame(kind, flags, stream, &payload)))
}

/// How a stream or the connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// 0 where it is the connection.
    pub stream: u32,
    pub how: How,
    pub body: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Answered(u16),
    Reset(u32),
    GoAway(u32),
}

/// The ends in the order of their frames, and whether the server's settings have arrived.
pub fn ends(bytes: &[u8]) -> (Vec<End>, bool) {
    let (mut rest, mut ends, mut greeted): (_, Vec<End>, _) = (bytes, Vec::new(), false);
    let mut open: Vec<(u32, u16, String)> = Vec::new();
    while let Some((head, after)) = rest.split_at_checked(9) {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let (kind, flags, stream) = (head[3], head[4], number(&head[5..]));
        let Some((payload, after)) = after.split_at_checked(length) else { break };
        rest = after;
        match kind {
            SETTINGS => greeted |= flags & ACK == 0,
            HEADERS => open.push((stream, status(payload), String::new())),
            DATA => {
                if let Some((_, _, body)) = open.iter_mut().find(|(known, ..)| *known == stream) {
                    body.push_str(&String::from_utf8_lossy(payload));
                }
            }
            // After an answer, a reset says that the server does not want the rest of the request.
            RST_STREAM if ends.iter().all(|end| end.stream != stream) => {
                ends.push(End { stream, how: How::Reset(number(payload)), body: String::new() });
            }
            GOAWAY if number(&payload[4..]) != 0 => {
                ends.push(End { stream: 0, how: How::GoAway(number(&payload[4..])), body: String::new() });
            }
            _ => {}
        }
        if matches!(kind, HEADERS | DATA) && flags & END_STREAM != 0 {
            for (stream, status, body) in open.extract_if(.., |(known, ..)| *known == stream) {
                ends.push(End { stream, how: How::Answered(status), body });
            }
        }
    }
    (ends, greeted)
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// The status in an answer's header block: an entry of the static table, or three digits as text or in the Huffman code.
fn status(block: &[u8]) -> u16 {
    // The first block on a connection starts with the table's new size.
    let field = match block {
        [size, field @ ..] if size & 0b1110_0000 == 0b0010_0000 => field,
        field => field,
    };
    match field {
        [0x88, ..] => 200,
        [0x89, ..] => 204,
        [0x8c, ..] => 400,
        [0x8d, ..] => 404,
        [0x8e, ..] => 500,
        [0x48 | 0x08 | 0x18, 3, digits @ ..] => {
            digits[..3].iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0'))
        }
        [0x48 | 0x08 | 0x18, length @ 0x82..=0x83, code @ ..] => huffman(&code[..usize::from(length & 127)]),
        _ => panic!("no status in {block:02x?}"),
    }
}

/// Three digits (RFC 7541, appendix B): `0`, `1` and `2` are of five bits, the others of six, from `3`'s 0x19 on.
fn huffman(code: &[u8]) -> u16 {
    let bits = code.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (32 - 8 * code.len());
    let digit = |(number, bits): (u16, u32), _| match bits >> 27 {
        small @ 0..=2 => (number * 10 + small as u16, bits << 5),
        _ => (number * 10 + (bits >> 26) as u16 - 0x16, bits << 6),
    };
    (0..3).fold((0, bits), digit).0
}

#[test]
fn statuses_are_read_as_rfc_7541_shows_them() {
    // C.6.1 and C.6.2.
    assert_eq!(huffman(&[0x64, 0x02]), 302);
    assert_eq!(huffman(&[0x64, 0x0e, 0xff]), 307);
    assert_eq!(status(&[0x48, 3, b'4', b'0', b'1']), 401);
    assert_eq!(status(&[0x20, 0x88]), 200);
}
