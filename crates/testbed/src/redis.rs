//! `Redis`: a real Redis or Valkey on a free port.

use std::{
    env, fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::Command,
    time::Duration,
};

use tempfile::TempDir;

use crate::{Program, Server, free_port};

/// How a [`Redis`] is started. `Default` is a plain one that keeps nothing on disk.
#[derive(Clone, Debug, Default)]
pub struct RedisOptions {
    /// Asks clients for this password.
    pub password: Option<&'static str>,
    /// Serves TLS with a certificate for `localhost` and `127.0.0.1`, and nothing but TLS.
    pub tls: bool,
    /// Is a node of a cluster.
    pub cluster: bool,
    /// Keeps an append-only file, and writes each change through.
    pub appendonly: bool,
    /// More lines of its configuration.
    pub settings: Vec<String>,
}

/// A server with its data in a temporary folder; both end when this is dropped.
#[derive(Debug)]
pub struct Redis {
    server: Server,
    program: Program,
    folder: TempDir,
    port: u16,
    options: RedisOptions,
}

impl Redis {
    /// Starts a plain one; `None` where there is neither Redis nor Valkey on this machine.
    pub fn start() -> Option<Self> {
        Self::with(RedisOptions::default())
    }

    /// Starts one with these options.
    pub fn with(options: RedisOptions) -> Option<Self> {
        Self::of(&["redis-server", "valkey-server"], options)
    }

    /// Starts a Valkey; `None`, without a word and without failing, where it is not in `PATH`: few systems package it.
    pub fn valkey() -> Option<Self> {
        let name = "valkey-server";
        let path = env::var_os("PATH")?;
        env::split_paths(&path).find(|folder| folder.join(name).is_file())?;
        Self::of(&[name], RedisOptions::default())
    }

    fn of(names: &[&str], options: RedisOptions) -> Option<Self> {
        let program = Program::find(names, &["/usr/local/bin", "/opt/*/bin"])?;
        let folder = tempfile::tempdir().unwrap();
        if options.tls {
            make_certificates(folder.path());
        }
        let port = free_port();
        let server = launch(&program, folder.path(), port, &options);
        Some(Self { server, program, folder, port, options })
    }

    /// Three primaries that share the slots; `None` as above.
    pub fn cluster() -> Option<[Self; 3]> {
        let node = || Self::with(RedisOptions { cluster: true, ..RedisOptions::default() });
        let nodes = [node()?, node()?, node()?];
        for (node, slots) in nodes.iter().zip(["0 5460", "5461 10922", "10923 16383"]) {
            assert_eq!(node.command(&format!("CLUSTER ADDSLOTSRANGE {slots}")), "+OK");
        }
        for other in &nodes[1..] {
            assert_eq!(nodes[0].command(&format!("CLUSTER MEET 127.0.0.1 {}", other.port)), "+OK");
        }
        let is_whole = |node: &Self| {
            let info = node.command("CLUSTER INFO");
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
        };
        while !nodes.iter().all(is_whole) {
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(nodes)
    }

    /// Where it is, with its password.
    pub fn url(&self) -> String {
        let scheme = if self.options.tls { "rediss" } else { "redis" };
        let password = self.options.password.map(|password| format!(":{password}@")).unwrap_or_default();
        format!("{scheme}://{password}127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate, as PEM, of the authority that signed its own.
    pub fn authority(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("ca.crt")).unwrap()
    }

    /// Kills it as a crash would.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts it again, on the same port and data.
    pub fn restart(&mut self) {
        self.server.kill();
        self.server = launch(&self.program, self.folder.path(), self.port, &self.options);
    }

    /// Sends it a signal, such as `STOP` or `CONT`.
    pub fn signal(&self, name: &str) {
        self.server.signal(name);
    }

    /// Has it run a command of plain words, on a connection of its own, and answers what came back. Not under TLS.
    pub fn command(&self, words: &str) -> String {
        run(self.port, &self.options, words).unwrap_or_default()
    }
}

fn launch(program: &Program, folder: &Path, port: u16, options: &RedisOptions) -> Server {
    let mut command = program.command(None);
    let yes = |is: bool| if is { "yes" } else { "no" };
    command.current_dir(folder);
    command.args(["--bind", "127.0.0.1", "--save", "", "--daemonize", "no"]);
    command.args(["--appendonly", yes(options.appendonly), "--appendfsync", "always"]);
    command.args(["--cluster-enabled", yes(options.cluster)]);
    if options.tls {
        command.args(["--port", "0", "--tls-port", &port.to_string(), "--tls-auth-clients", "no"]);
        command.args([
            "--tls-cert-file",
            "server.crt",
            "--tls-key-file",
            "server.key",
            "--tls-ca-cert-file",
            "ca.crt",
        ]);
    } else {
        command.args(["--port", &port.to_string()]);
    }
    if let Some(password) = options.password {
        command.args(["--requirepass", password]);
    }
    for setting in &options.settings {
        command.args(setting.split(' '));
    }
    let mut server = Server::start(command, &folder.join("log"));
    server.wait_until("redis", || match options.tls {
        true => TcpStream::connect(("127.0.0.1", port)).is_ok(),
        false => run(port, options, "PING").is_some_and(|answer| answer == "+PONG"),
    });
    server
}

fn run(port: u16, options: &RedisOptions, words: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let login = options.password.map(|password| format!("AUTH {password}\r\n")).unwrap_or_default();
    stream.write_all(format!("{login}{words}\r\nQUIT\r\n").as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let answer = if login.is_empty() { answer.as_str() } else { answer.strip_prefix("+OK\r\n")? };
    Some(answer.strip_suffix("+OK\r\n")?.trim_end().to_owned())
}

fn make_certificates(folder: &Path) {
    let openssl = |arguments: &str| {
        let made = Command::new("openssl").current_dir(folder).args(arguments.split(' ')).output().unwrap();
        assert!(made.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&made.stderr));
    };
    fs::write(folder.join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
        .unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(&format!("req -x509 {key} -keyout ca.key -out ca.crt -days 2 -subj /CN=testbed"));
    openssl(&format!("req {key} -keyout server.key -out server.csr -subj /CN=localhost"));
    openssl(
        "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt",
    );
}
