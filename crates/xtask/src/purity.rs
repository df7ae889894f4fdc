//! Core's own text: no clock, no socket, no sleep, no environment outside tests and comments.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::commands::{Failure, root};

/// What core never says.
const NEVER: &[&str] =
    &["SystemTime::now", "Instant::now", "std::net", "thread::sleep", "std::env", "std::fs", "std::process"];

pub(crate) fn check(package: &str) -> Result<(), Failure> {
    let mut files = Vec::new();
    collect(&root().join("crates").join(package).join("src"), &mut files)?;
    let mut found = Vec::new();
    for path in &files {
        let name = path.strip_prefix(root()).unwrap_or(path).display();
        found.extend(
            said(&fs::read_to_string(path)?).iter().map(|(line, never)| format!("{name}:{line}: {never}")),
        );
    }
    match found.is_empty() {
        true => {
            println!("layers: {package} never says, in {} files: {}", files.len(), NEVER.join(" "));
            Ok(())
        }
        false => Err(Failure::Found(format!("{package} must not say\n{}", found.join("\n")))),
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// What is said that may not be, with its line. Comments do not count, nor do the tests at a file's bottom.
fn said(text: &str) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    let mut within_use_of_std = false;
    let mut lines = text.lines().enumerate().peekable();
    while let Some((i, line)) = lines.next() {
        let code = line.split("//").next().unwrap_or_default().trim();
        let next = lines.peek().map(|(_, next)| next.trim()).unwrap_or_default();
        if code == "#[cfg(test)]" && next.starts_with("mod ") && next.ends_with('{') {
            break;
        }
        within_use_of_std |= code.starts_with("use std::{");
        let said = |never: &&&str| {
            let imported = never.strip_prefix("std::").filter(|_| within_use_of_std);
            code.contains(**never) || imported.is_some_and(|name| names(code, name))
        };
        found.extend(NEVER.iter().find(said).map(|never| (i.saturating_add(1), *never)));
        within_use_of_std &= !code.contains(';');
    }
    found
}

/// Whether a line of an import list names a module.
fn names(line: &str, module: &str) -> bool {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
        .any(|path| path == module || path.strip_prefix(module).is_some_and(|rest| rest.starts_with("::")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_core_never_says_is_found_in_code_alone() {
        for text in [
            "let now = SystemTime::now();",
            "use std::net::TcpStream;",
            "use std::{env, fmt};",
            "use std::{\n    fmt,\n    net::{TcpStream},\n};",
            "fn f() {}\nstd::thread::sleep(a);",
            "#[cfg(test)]\nmod tests;\nuse std::env;",
        ] {
            assert_eq!(said(text).len(), 1, "{text}");
        }
        for text in [
            "/// SystemTime::now()",
            "fn f() {} // std::env",
            "use std::{fmt, time::SystemTime};\nlet env = 1;",
            "#[cfg(test)]\nmod tests {\n    use std::env;\n}",
            "let environment = netting;",
        ] {
            assert_eq!(said(text), [], "{text}");
        }
    }
}
