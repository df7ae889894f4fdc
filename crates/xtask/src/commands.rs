//! Commands of cargo: shown, run, and their exit code kept.

use std::{
    fmt,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus, Stdio},
};

/// Why a chore ended.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A command said why itself, and ended with this code.
    Command { shown: String, code: Option<i32> },
    /// What was to be proved does not hold, or could not be looked at.
    Found(String),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Command { code: Some(code), .. } => {
                u8::try_from(*code).map_or(ExitCode::FAILURE, Into::into)
            }
            _ => ExitCode::FAILURE,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command { shown, code: Some(code) } => write!(f, "`{shown}` failed with exit code {code}"),
            Self::Command { shown, code: None } => write!(f, "`{shown}` was ended by a signal"),
            Self::Found(what) => f.write_str(what),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Found(error.to_string())
    }
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A command of the cargo that runs this, at the root of the workspace.
pub(crate) struct Cargo {
    command: Command,
    shown: String,
}

impl Cargo {
    /// `cargo` with these arguments, separated by white space.
    pub(crate) fn new(arguments: &str) -> Self {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(root()).stdin(Stdio::null());
        Self { command, shown: "cargo".to_owned() }.and(arguments.split_whitespace())
    }

    pub(crate) fn and(mut self, arguments: impl IntoIterator<Item: AsRef<str>>) -> Self {
        for argument in arguments {
            self.command.arg(argument.as_ref());
            self.shown = format!("{} {}", self.shown, argument.as_ref());
        }
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self.shown = format!("{name}='{value}' {}", self.shown);
        self
    }

    pub(crate) fn run(mut self) -> Result<(), Failure> {
        println!("$ {}", self.shown);
        let status = self.command.status()?;
        self.ended(status)
    }

    /// Runs, and hands on each line of its output before it is shown.
    pub(crate) fn run_watched(mut self, mut line: impl FnMut(&str)) -> Result<(), Failure> {
        println!("$ {}", self.shown);
        let mut child = self.command.stdout(Stdio::piped()).spawn()?;
        for text in BufReader::new(child.stdout.take().ok_or_else(|| Failure::Found("no output".into()))?)
            .split(b'\n')
        {
            let text = text?;
            let text = String::from_utf8_lossy(&text);
            line(&text);
            println!("{text}");
        }
        let status = child.wait()?;
        self.ended(status)
    }

    /// What it writes to its output.
    pub(crate) fn output(mut self) -> Result<String, Failure> {
        println!("$ {}", self.shown);
        let output = self.command.stderr(Stdio::inherit()).output()?;
        self.ended(output.status)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn ended(self, status: ExitStatus) -> Result<(), Failure> {
        match status.success() {
            true => Ok(()),
            false => Err(Failure::Command { shown: self.shown, code: status.code() }),
        }
    }
}
