//! HTTP/2: bodies, trailers, resets and floods (RFC 9113, 5 and 6).

use crate::{
    http2::{
        CONTINUATION, DATA, END_HEADERS, END_STREAM, GENUINE, HEADERS, PING, PRIORITY, RST_STREAM, SETTINGS,
        STREAM, WINDOW_UPDATE, data, filled, frame, genuine, headers, raw,
    },
    lane::{BODY, Lane},
    probe::{Probe, Step, both, each, http2, text},
};

type Fields = [(&'static str, &'static str)];

pub fn probes() -> Vec<Probe> {
    let row = |name, steps: Vec<Step>, expect| http2(name, steps, expect);
    let head = || genuine(END_HEADERS, &[]);
    let trailers = |flags, fields: &Fields| headers(END_HEADERS | flags, fields);
    let [method, scheme, authority, path, signed] = GENUINE;
    let unsigned = || headers(END_HEADERS, &[method, scheme, authority, path]);
    let token = |value| {
        headers(
            END_HEADERS,
            &[method, scheme, authority, (":path", "/{key}/token"), ("x-raaft-token", value)],
        )
    };
    vec![
        row("data of one byte each", vec![head(), bytewise()], both("200 | processed | open")),
        row("data that is padded", vec![head(), padded(200)], both("200 | processed | open")),
        row(
            "data whose padding is longer than it",
            vec![head(), raw(DATA, END_STREAM | 8, STREAM, [200, b'x'])],
            both("goaway(PROTOCOL_ERROR) | * | closed"),
        ),
        row(
            "empty data at the end",
            vec![head(), data(0, "{body}"), data(END_STREAM, "")],
            both("200 | processed | open"),
        ),
        row(
            "1,000 empty frames of data",
            vec![head(), repeat(1_000, || frame(DATA, 0, STREAM, &[])), data(END_STREAM, "{body}")],
            each(
                "goaway(ENHANCE_YOUR_CALM) | * | closed",
                "200 | processed | open",
                "h2 0.3 counts no empty frames; the read time-out ends them",
            ),
        ),
        row(
            "20,000 empty frames of data",
            vec![head(), repeat(20_000, || frame(DATA, 0, STREAM, &[])), data(END_STREAM, "{body}")],
            each(
                "goaway(ENHANCE_YOUR_CALM) | * | closed",
                "200 | processed | open",
                "h2 0.3 counts no empty frames; the read time-out ends them",
            ),
        ),
        row(
            "a frame of data over 16 KB",
            vec![head(), raw(DATA, END_STREAM, STREAM, [b'x'; 16_385])],
            both("goaway(FRAME_SIZE_ERROR) | * | closed"),
        ),
        row(
            "a body over the limit",
            vec![head(), repeat(2, || frame(DATA, 0, STREAM, &[b' '; 16_383])), data(END_STREAM, "{body}")],
            both("413 | refused | open"),
        ),
        row(
            "data on a stream that is idle",
            vec![raw(DATA, END_STREAM, STREAM, *b"x")],
            both("goaway(PROTOCOL_ERROR) | - | closed"),
        ),
        row(
            "data on stream 0",
            vec![raw(DATA, END_STREAM, 0, *b"x")],
            both("goaway(PROTOCOL_ERROR) | - | closed"),
        ),
        row(
            "data behind the end",
            vec![head(), data(END_STREAM, "{body}"), Step::Answers(1), data(END_STREAM, "{body}")],
            both("200 | processed | open"),
        ),
        row(
            "trailers",
            vec![head(), data(0, "{body}"), trailers(END_STREAM, &[("x", "y")])],
            both("200 | processed | open"),
        ),
        row(
            "trailers with the signature",
            vec![unsigned(), data(0, "{body}"), trailers(END_STREAM, &[signed])],
            both("400 | refused | open"),
        ),
        row(
            "trailers with a second signature",
            vec![head(), data(0, "{body}"), trailers(END_STREAM, &[("x-webhook-signature", "{forged}")])],
            both("200 | processed | open"),
        ),
        row(
            "trailers with a pseudo-field",
            vec![head(), data(0, "{body}"), trailers(END_STREAM, &[(":path", "/")])],
            both("200 | processed | open"),
        ),
        row(
            "trailers that do not end the stream",
            vec![head(), data(0, "{body}"), trailers(0, &[("x", "y")]), data(END_STREAM, "")],
            both("reset(PROTOCOL_ERROR) | refused | open"),
        ),
        row(
            "a reset within the body",
            vec![head(), data(0, "{"), raw(RST_STREAM, 0, STREAM, [0, 0, 0, 8]), Step::NoAnswer],
            both("- | * | open"),
        ),
        row(
            "a reset behind the head",
            vec![head(), raw(RST_STREAM, 0, STREAM, [0, 0, 0, 8]), Step::NoAnswer],
            both("- | * | open"),
        ),
        row(
            "a reset of an idle stream",
            vec![raw(RST_STREAM, 0, STREAM, [0, 0, 0, 8])],
            both("goaway(PROTOCOL_ERROR) | - | closed"),
        ),
        row(
            "1,000 requests that are reset at once",
            vec![rapid_resets(1_000)],
            both("goaway(ENHANCE_YOUR_CALM) | * | closed"),
        ),
        row("a wrong token and no end", vec![token("x")], both("401 | refused | open")),
        row(
            "a wrong token and data behind the refusal",
            vec![token("x"), data(0, "{smuggled}"), data(END_STREAM, "{smuggled}")],
            both("401 | refused | open"),
        ),
        row(
            "the right token",
            vec![token("{token}"), data(END_STREAM, "{body}")],
            both("200 | processed | open"),
        ),
        row(
            "a forged and a genuine delivery in turns",
            vec![interleaved(), Step::Answers(2)],
            both("200 401 | processed refused | open"),
        ),
        row(
            "the same delivery on two streams",
            vec![whole(1), Step::Answers(1), whole(3), Step::Answers(2)],
            both("200 200 | duplicate processed | open"),
        ),
        row(
            "a window of nothing for answers",
            vec![raw(SETTINGS, 0, 0, [0, 4, 0, 0, 0, 0]), head(), data(END_STREAM, "{body}")],
            both("200 | processed | open"),
        ),
        row(
            "a window update of 0",
            vec![head(), raw(WINDOW_UPDATE, 0, STREAM, [0; 4])],
            both("goaway(PROTOCOL_ERROR) | * | closed"),
        ),
        row(
            "a window beyond 2^31",
            vec![raw(WINDOW_UPDATE, 0, 0, [0x7f, 0xff, 0xff, 0xff])],
            both("goaway(FLOW_CONTROL_ERROR) | - | closed"),
        ),
        row("an even stream", vec![raw_head(2)], both("goaway(PROTOCOL_ERROR) | - | closed")),
        row("stream 0", vec![raw_head(0)], both("goaway(PROTOCOL_ERROR) | - | closed")),
        row(
            "a stream that was used",
            vec![head(), data(END_STREAM, "{body}"), Step::Answers(1), head(), data(END_STREAM, "{body}")],
            both("200 goaway(PROTOCOL_ERROR) | processed | closed"),
        ),
        row(
            "a continuation of nothing",
            vec![raw(CONTINUATION, END_HEADERS, STREAM, [])],
            both("goaway(PROTOCOL_ERROR) | - | closed"),
        ),
        row(
            "data between a head and its continuation",
            vec![genuine(0, &[]), data(END_STREAM, "{body}")],
            both("goaway(PROTOCOL_ERROR) | - | closed"),
        ),
        row(
            "10,000 empty continuations",
            vec![genuine(0, &[]), repeat(10_000, || frame(CONTINUATION, 0, STREAM, &[]))],
            both("goaway(ENHANCE_YOUR_CALM) | - | closed"),
        ),
        row(
            "a stream that depends on itself",
            vec![raw(PRIORITY, 0, STREAM, [0, 0, 0, 1, 0]), head(), data(END_STREAM, "{body}")],
            both("reset(PROTOCOL_ERROR) | - | open"),
        ),
        row(
            "a frame of an unknown kind",
            vec![raw(0xee, 0xff, STREAM, *b"x"), head(), data(END_STREAM, "{body}")],
            both("200 | processed | open"),
        ),
        row(
            "5,000 pings",
            vec![repeat(5_000, || frame(PING, 0, 0, &[0; 8])), head(), data(END_STREAM, "{body}")],
            both("200 | processed | open"),
        ),
        row(
            "5,000 settings",
            vec![repeat(5_000, || frame(SETTINGS, 0, 0, &[])), head(), data(END_STREAM, "{body}")],
            both("200 | processed | open"),
        ),
        row(
            "settings of 5 bytes",
            vec![raw(SETTINGS, 0, 0, [0; 5])],
            both("goaway(PROTOCOL_ERROR) | - | closed"),
        ),
        row(
            "a push from the client",
            vec![raw(5, END_HEADERS, STREAM, [0, 0, 0, 2])],
            both("goaway(PROTOCOL_ERROR) | - | closed"),
        ),
        row(
            "HTTP/1.1 in the middle",
            vec![text("{smuggled}")],
            both("goaway(FRAME_SIZE_ERROR) | - | closed"),
        ),
    ]
}

fn send(make: impl Fn(&Lane) -> Vec<u8> + Send + Sync + 'static) -> Step {
    Step::Send(Box::new(make))
}

pub fn repeat(count: usize, frame: impl Fn() -> Vec<u8> + Send + Sync + 'static) -> Step {
    send(move |_| frame().repeat(count))
}

fn bytewise() -> Step {
    send(|_| {
        let last = BODY.len() - 1;
        let flags = |index| if index == last { END_STREAM } else { 0 };
        BODY.bytes()
            .enumerate()
            .flat_map(|(index, byte)| frame(DATA, flags(index), STREAM, &[byte]))
            .collect()
    })
}

fn padded(padding: u8) -> Step {
    let payload = [&[padding], BODY.as_bytes(), &vec![0; padding.into()]].concat();
    send(move |_| frame(DATA, END_STREAM | 8, STREAM, &payload))
}

fn raw_head(stream: u32) -> Step {
    send(move |lane| frame(HEADERS, END_HEADERS, stream, &filled(lane, &GENUINE)))
}

fn rapid_resets(count: u32) -> Step {
    send(move |lane| {
        let head = filled(lane, &GENUINE);
        let reset = |stream| {
            [frame(HEADERS, END_HEADERS, stream, &head), frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])]
        };
        (0..count).flat_map(|index| reset(2 * index + 1)).flatten().collect()
    })
}

/// On streams 1 and 3, a byte of each in turns.
fn interleaved() -> Step {
    send(|lane| {
        let forged = GENUINE.map(|(name, value)| (name, if value == "{sig}" { "{forged}" } else { value }));
        let heads = [
            frame(HEADERS, END_HEADERS, 1, &filled(lane, &forged)),
            frame(HEADERS, END_HEADERS, 3, &filled(lane, &GENUINE)),
        ];
        let bytes = BODY.bytes().flat_map(|byte| [frame(DATA, 0, 3, &[byte]), frame(DATA, 0, 1, &[byte])]);
        let ends = [frame(DATA, END_STREAM, 1, &[]), frame(DATA, END_STREAM, 3, &[])];
        heads.into_iter().chain(bytes).chain(ends).flatten().collect()
    })
}

/// A genuine delivery.
fn whole(stream: u32) -> Step {
    send(move |lane| {
        let head = frame(HEADERS, END_HEADERS, stream, &filled(lane, &GENUINE));
        [head, frame(DATA, END_STREAM, stream, BODY.as_bytes())].concat()
    })
}
