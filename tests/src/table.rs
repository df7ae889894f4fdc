//! The README's table of providers, made of their descriptions.

use countersign_core::{Description, Provider, for_each_provider, provider, scheme::Scheme};
use serde_json::Value;

/// Stands before and after the table in the README.
pub const MARKS: (&str, &str) = ("<!-- providers -->\n", "<!-- end of providers -->\n");

/// The table, a row a provider.
#[must_use]
pub fn table() -> String {
    let head = "| provider | algorithm | header | signs | tolerance | dedupe key | retried on |\n|---|---|---|---|---|---|---|\n";
    let mut table = head.to_owned();
    macro_rules! rows {
        ($($module:ident => $provider:ident),* $(,)?) => {
            $(table += &row::<provider::$provider>(stringify!($provider));)*
        };
    }
    for_each_provider!(rows);
    table
}

/// A text with the table between its marks brought up to date; `None` where it has no marks.
#[must_use]
pub fn updated(text: &str) -> Option<String> {
    let (before, rest) = text.split_once(MARKS.0)?;
    let (_, after) = rest.split_once(MARKS.1)?;
    Some([before, MARKS.0, &table(), MARKS.1, after].concat())
}

fn row<P: Provider>(name: &str) -> String {
    let path: Vec<_> = std::any::type_name::<P>().split("::").collect();
    let file = path[2];
    let folder = "crates/countersign-core/src/provider";
    let source =
        if path.len() > 3 && is_folder(file) { format!("{file}/mod.rs") } else { format!("{file}.rs") };
    let description = P::DESCRIPTION;
    let each = |show: fn(&Scheme) -> String| {
        description.schemes().iter().map(show).collect::<Vec<_>>().join("<br>or ")
    };
    format!(
        "| [{name}]({folder}/{source}) | {} | {} | {} | {} | {} | {} |\n",
        each(algorithm),
        each(header),
        each(signs),
        each(tolerance),
        keys(description),
        match (P::RETRIES.on(404), P::RETRIES.on(500)) {
            (true, _) => "any failure",
            (_, true) => "408, 429, 5xx",
            _ => "409, 429, 503",
        },
    )
}

fn is_folder(name: &str) -> bool {
    crate::seeds::repository().join("crates/countersign-core/src/provider").join(name).is_dir()
}

fn algorithm(scheme: &Scheme) -> String {
    let scheme_as_json = json(scheme);
    let encoding = scheme_as_json["encoding"].as_str().unwrap_or_default().to_owned();
    match scheme.algorithm().as_str() {
        "token" => "shared token".to_owned(),
        "basic" => "basic authentication".to_owned(),
        "ecdsa-p256" => "ECDSA P-256, base64".to_owned(),
        "ed25519" => format!("Ed25519, {encoding}"),
        name => format!("{}, {encoding}", name.to_uppercase()),
    }
}

fn header(scheme: &Scheme) -> String {
    let grammar = &json(scheme)["grammar"];
    let form = match grammar {
        Value::String(name) if name == "positional" => ": <timestamp>,..".to_owned(),
        Value::Object(form) => match form.iter().next() {
            Some((kind, Value::String(text))) if kind == "versioned" => format!(": {text},.."),
            Some((_, Value::String(text))) => format!(": {text}.."),
            Some((_, list)) => {
                let text = |field: &str| list[field].as_str().map(|key| format!("{key}=.."));
                let entries: Vec<_> = [text("timestamp"), text("signature")].into_iter().flatten().collect();
                format!(": {}", entries.join(list["separator"].as_str().unwrap_or_default()))
            }
            None => String::new(),
        },
        _ => String::new(),
    };
    format!("`{}{form}`", scheme.header_name())
}

fn signs(scheme: &Scheme) -> String {
    match scheme.template() {
        "" => "nothing".to_owned(),
        template => format!("`{template}`"),
    }
}

fn tolerance(scheme: &Scheme) -> String {
    match scheme.signs_timestamp() {
        true => scheme.max_age().to_string(),
        false => "none".to_owned(),
    }
}

fn keys(description: &Description) -> String {
    let parts = |parts: &Value| {
        let parts = parts.as_array().into_iter().flatten();
        // Which fields they are stands in the provider's own documentation.
        let mut names: Vec<_> = parts.map(|part| part.as_str().unwrap_or("fields")).collect();
        names.dedup();
        names.join(" and ")
    };
    let rule = |rule: &Value| match rule {
        Value::Object(rule) => format!("{}, else {}", parts(&rule["of"]), parts(&rule["or"])),
        rule => parts(rule),
    };
    let rules = &serde_json::to_value(description).unwrap_or_default()["dedupe"];
    let rules: Vec<_> = rules.as_array().into_iter().flatten().map(rule).collect();
    if rules.is_empty() { "none".to_owned() } else { rules.join("; ") }
}

fn json(scheme: &Scheme) -> Value {
    serde_json::to_value(scheme).unwrap_or_default()
}
