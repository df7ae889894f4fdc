//! `Postgres` and `PgBouncer`: a database server, and a pooler in front of it.

use std::{
    fmt::Write,
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::{Program, Server, free_port, is_root};

/// Where distributions put what is not in `PATH`.
const FOLDERS: &[&str] =
    &["/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin"];

/// Whom the servers run as in the place of root, which they refuse: `nobody`, by number.
const USER: &str = "65534";

/// A Postgres server on a port of its own, with its data in a temporary folder.
///
/// Its superuser is `postgres`, who needs no password.
#[derive(Debug)]
pub struct Postgres {
    program: Program,
    server: Server,
    folder: TempDir,
    port: u16,
}

/// How to start one.
#[derive(Clone, Debug, Default)]
pub struct PostgresOptions {
    settings: String,
    /// The certificate and its key, in PEM.
    tls: Option<(String, String)>,
    password: Option<String>,
}

impl PostgresOptions {
    /// A line of the configuration.
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        writeln!(self.settings, "{name} = '{value}'").unwrap();
        self
    }

    /// With TLS, and only with it.
    pub fn tls(mut self, certificate: &str, key: &str) -> Self {
        self.tls = Some((certificate.to_owned(), key.to_owned()));
        self
    }

    /// With a password for everybody who connects, by SCRAM.
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// Starts it. `None` when there is none on this machine.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(self) -> Option<Postgres> {
        let initdb = Program::find(&["initdb"], FOLDERS)?;
        let program = Program::find(&["postgres"], FOLDERS)?;
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        give(folder.path());
        let secret = folder.path().join("password");
        fs::write(&secret, self.password.as_deref().unwrap_or("none")).unwrap();
        give(&secret);
        let mut command = initdb.command(Some(USER));
        command
            .args(["--username=postgres", "--no-sync", "--no-locale", "--encoding=UTF8", "--pwfile"])
            .arg(&secret);
        command.arg(if self.password.is_some() { "--auth=scram-sha-256" } else { "--auth=trust" });
        run(command.arg("--pgdata").arg(&data));

        let mut settings = String::from("max_connections = 100\nlisten_addresses = '127.0.0.1'\n");
        writeln!(settings, "unix_socket_directories = ''\nlog_min_messages = warning\n{}", self.settings)
            .unwrap();
        if let Some((certificate, key)) = &self.tls {
            for (name, text) in [("server.crt", certificate), ("server.key", key)] {
                fs::write(data.join(name), text).unwrap();
                give(&data.join(name));
                run(Command::new("chmod").arg("600").arg(data.join(name)));
            }
            settings.push_str("ssl = on\n");
            let access = fs::read_to_string(data.join("pg_hba.conf")).unwrap();
            let access = access.lines().map(|line| match line.strip_prefix("host ") {
                Some(rest) => format!("hostssl {rest}\n"),
                None => format!("{line}\n"),
            });
            fs::write(data.join("pg_hba.conf"), access.collect::<String>()).unwrap();
        }
        let configuration = fs::read_to_string(data.join("postgresql.conf")).unwrap();
        fs::write(data.join("postgresql.conf"), configuration + &settings).unwrap();

        let port = free_port();
        let server = launch(&program, folder.path(), port);
        Some(Postgres { program, server, folder, port })
    }
}

impl Postgres {
    /// One with its settings as they come. `None` when there is none on this machine.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start() -> Option<Self> {
        Self::options().start()
    }

    /// How to start one.
    pub fn options() -> PostgresOptions {
        PostgresOptions::default()
    }

    /// The superuser's URL, without a password.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its data and its log are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Kills all of its processes at once with SIGKILL, as a loss of power would: none of them gets to write any more.
    pub fn kill(&mut self) {
        if !self.server.runs() {
            return;
        }
        let children = self.children();
        // Nobody starts others in the meantime.
        self.server.signal("STOP");
        signal("KILL", &children);
        self.server.kill();
    }

    /// Starts it again on the same port with the same data, after [`kill`](Self::kill) or in its place.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn restart(&mut self) {
        self.kill();
        let _ = fs::remove_file(self.folder.path().join("data/postmaster.pid"));
        self.server = launch(&self.program, self.folder.path(), self.port);
    }

    /// Kills it and starts it as a standby, which follows nobody.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn restart_as_standby(&mut self) {
        let signal = self.folder.path().join("data/standby.signal");
        fs::write(&signal, "").unwrap();
        give(&signal);
        self.restart();
    }

    /// Sends a signal to all of its processes: `STOP` hangs it, `CONT` lets it go on.
    pub fn signal(&self, name: &str) {
        let children = self.children();
        self.server.signal(name);
        signal(name, &children);
    }

    fn children(&self) -> Vec<String> {
        let parent = self.server.id().to_string();
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let ids = processes.map(|process| process.file_name().to_string_lossy().into_owned());
        let is_child = |id: &String| {
            let status = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            // The name, in parentheses, may have spaces; then come the state and the parent.
            status.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)) == Some(&parent)
        };
        ids.filter(is_child).collect()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A PgBouncer in transaction pooling mode.
#[derive(Debug)]
pub struct PgBouncer {
    server: Server,
    #[expect(dead_code, reason = "its configuration is there until this is dropped")]
    folder: TempDir,
    port: u16,
}

impl PgBouncer {
    /// One in front of this server, with so many connections to it. `None` when there is none on this machine.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(postgres: &Postgres, connections: u32) -> Option<Self> {
        let program = Program::find(&["pgbouncer"], &[])?;
        let folder = tempfile::tempdir().unwrap();
        give(folder.path());
        let (users, file) = (folder.path().join("users"), folder.path().join("pgbouncer.ini"));
        fs::write(&users, "\"postgres\" \"\"\n").unwrap();
        let (port, to) = (free_port(), postgres.port());
        let configuration = format!(
            "[databases]\n* = host=127.0.0.1 port={to}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = transaction\n\
             default_pool_size = {connections}\nmax_client_conn = 1000\nlog_connections = 0\nlog_disconnections = 0\n",
            users.display()
        );
        fs::write(&file, configuration).unwrap();
        let mut command = program.command(Some(USER));
        command.arg(&file);
        let mut server = Server::start(command, &folder.path().join("log"));
        server.wait_until("pgbouncer", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Some(Self { server, folder, port })
    }

    /// The superuser's URL.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Sends it a signal: `STOP` hangs it, `CONT` lets it go on.
    pub fn signal(&self, name: &str) {
        self.server.signal(name);
    }
}

fn launch(program: &Program, folder: &Path, port: u16) -> Server {
    let mut command = program.command(Some(USER));
    command.arg("-D").arg(folder.join("data")).args(["-p", &port.to_string()]);
    let mut server = Server::start(command, &folder.join("log"));
    let pid: PathBuf = folder.join("data/postmaster.pid");
    // Its last line says how far it has come.
    let is_ready = || {
        fs::read_to_string(&pid)
            .is_ok_and(|text| text.lines().any(|line| matches!(line.trim(), "ready" | "standby")))
    };
    server.wait_until("postgres", is_ready);
    server
}

/// Makes a file its user's, where that is another.
fn give(path: &Path) {
    if is_root() {
        run(Command::new("chown").arg(USER).arg(path));
    }
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn signal(name: &str, processes: &[String]) {
    if !processes.is_empty() {
        // One of them may have ended by itself.
        let _ = Command::new("kill").args(["-s", name]).args(processes).stderr(Stdio::null()).status();
    }
}
