//! Answers in HTTP/1.1, read strictly from all the bytes of a connection.

/// The header names that an answer may have. A request cannot add another one.
const NAMES: [&str; 9] = [
    "allow",
    "connection",
    "content-length",
    "content-type",
    "date",
    "retry-after",
    "transfer-encoding",
    "vary",
    "x-content-type-options",
];

/// One answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }
}

/// The complete answers. `without_body` says that the first one answers a `HEAD`.
///
/// # Errors
/// The bytes that are no answer: a split response would show itself so.
pub fn answers(bytes: &[u8], without_body: bool) -> Result<Vec<Answer>, String> {
    let text = String::from_utf8_lossy(bytes);
    let (mut rest, mut answers) = (&*text, Vec::new());
    while let Some((head, after)) = rest.split_once("\r\n\r\n") {
        let mut answer = read_head(head)?;
        let has_none = matches!(answer.status, 100..=199 | 204 | 304) || (without_body && answers.is_empty());
        let length = answer.header("content-length").map_or(Ok(0), str::parse::<usize>);
        let length = if has_none { 0 } else { length.map_err(|error| format!("{error}: {head}"))? };
        let Some(body) = after.get(..length) else { break };
        body.clone_into(&mut answer.body);
        answers.push(answer);
        rest = &after[length..];
    }
    match rest.is_empty() || "HTTP/1.1 ".starts_with(rest) || rest.starts_with("HTTP/1.") {
        true => Ok(answers),
        false => Err(format!("{rest:?} is no answer")),
    }
}

fn read_head(head: &str) -> Result<Answer, String> {
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap_or_default();
    let version = line.strip_prefix("HTTP/1.1 ").or_else(|| line.strip_prefix("HTTP/1.0 "));
    let status = version.and_then(|rest| rest.get(..3)?.parse().ok());
    let status = status.ok_or_else(|| format!("{line:?} is no status line"))?;
    let header = |line: &str| {
        let (name, value) = line.split_once(": ").ok_or_else(|| format!("{line:?} is no header"))?;
        let visible = value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        match visible && NAMES.contains(&name.to_ascii_lowercase().as_str()) {
            true => Ok((name.to_ascii_lowercase(), value.to_owned())),
            false => Err(format!("{line:?} is no header of ours")),
        }
    };
    let headers = lines.map(header).collect::<Result<_, _>>()?;
    Ok(Answer { status, headers, body: String::new() })
}
