//! What tests and benchmarks need besides cargo, made available before they run: the programs that they start.

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use crate::commands::{Cargo, Failure};

/// A program that is started, and the packages that have it.
#[derive(Debug)]
pub(crate) struct Need {
    /// Its names, of which one will do.
    names: &'static [&'static str],
    /// Where it stands when not in `PATH`: below these folders, in `bin` of a folder with this beginning of a name. As
    /// testbed looks for it.
    folders: &'static [(&'static str, &'static str)],
    apt: &'static str,
    dnf: &'static str,
    brew: &'static str,
}

/// What tests start.
pub(crate) const NEEDS: &[Need] = &[
    Need {
        names: &["redis-server", "valkey-server"],
        folders: &[("/usr", "local"), ("/opt", "")],
        apt: "redis-server",
        dnf: "valkey",
        brew: "valkey",
    },
    Need {
        names: &["postgres"],
        folders: &[("/usr/lib/postgresql", ""), ("/usr", "pgsql-"), ("/opt/homebrew/opt", "postgresql")],
        apt: "postgresql",
        dnf: "postgresql-server",
        brew: "postgresql@17",
    },
    Need { names: &["pgbouncer"], folders: &[], apt: "pgbouncer", dnf: "pgbouncer", brew: "pgbouncer" },
    // Makes the certificates of servers.
    Need { names: &["openssl"], folders: &[], apt: "openssl", dnf: "openssl", brew: "openssl" },
];

/// What the benchmark of speed starts.
pub(crate) const SPEED_NEEDS: &[Need] = &[
    Need { names: &["wrk"], folders: &[], apt: "wrk", dnf: "wrk", brew: "wrk" },
    Need { names: &["node"], folders: &[], apt: "nodejs", dnf: "nodejs", brew: "node" },
];

/// Makes it available, and tells the tests to fail where they would skip.
pub(crate) fn prepare(command: Cargo, needs: &[Need]) -> Result<Cargo, Failure> {
    let missing = missing(needs);
    if !missing.is_empty() {
        if !(is_root() && found("apt-get", &[]).is_some()) {
            return Err(Failure::Found(remedy(&missing)));
        }
        install(&missing)?;
        let missing = self::missing(needs);
        if !missing.is_empty() {
            return Err(Failure::Found(remedy(&missing)));
        }
    }
    for need in needs {
        let found = need.found().unwrap_or_default();
        println!("set-up: {}", found.display());
    }
    Ok(command.env("COUNTERSIGN_TESTS_REQUIRE_SERVERS", "1"))
}

fn missing(needs: &[Need]) -> Vec<&Need> {
    needs.iter().filter(|need| need.found().is_none()).collect()
}

impl Need {
    fn found(&self) -> Option<PathBuf> {
        self.names.iter().find_map(|name| found(name, self.folders))
    }
}

fn found(name: &str, folders: &[(&str, &str)]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let in_path = env::split_paths(&path).chain(["/usr/sbin".into()]);
    let bins = folders.iter().flat_map(|(folder, beginning)| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(*beginning));
        named.map(|entry| entry.path().join("bin"))
    });
    in_path.chain(bins).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// What to install, for whoever has to do it by hand.
fn remedy(missing: &[&Need]) -> String {
    let list = |package: fn(&Need) -> &'static str| {
        missing.iter().map(|need| package(need)).collect::<Vec<_>>().join(" ")
    };
    let names: Vec<_> = missing.iter().map(|need| need.names.join(" or ")).collect();
    format!(
        "needed: {}. Install what is missing; as root on Debian and Ubuntu this is done for you:\n  \
         apt-get install --no-install-recommends {}\n  dnf install {}\n  brew install {}",
        names.join(", "),
        list(|need| need.apt),
        list(|need| need.dnf),
        list(|need| need.brew)
    )
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Installs Debian's packages, and starts none of their services: tests start their own servers.
fn install(missing: &[&Need]) -> Result<(), Failure> {
    let _no_services = Policy::forbid(Path::new("/usr/sbin/policy-rc.d"))?;
    let clusters = Path::new("/etc/postgresql-common/createcluster.conf");
    if missing.iter().any(|need| need.apt == "postgresql") && !clusters.exists() {
        // Without a word, the package makes a database cluster for the whole machine.
        println!("set-up: {} is written: create_main_cluster = false", clusters.display());
        fs::create_dir_all(clusters.parent().unwrap_or(clusters))?;
        fs::write(clusters, "create_main_cluster = false\n")?;
    }
    apt_get(&["update", "--quiet"])?;
    let install = ["install", "--quiet", "--yes", "--no-install-recommends"];
    apt_get(&install.into_iter().chain(missing.iter().map(|need| need.apt)).collect::<Vec<_>>())
}

fn apt_get(arguments: &[&str]) -> Result<(), Failure> {
    let shown = format!("apt-get {}", arguments.join(" "));
    println!("$ {shown}");
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").env("UCF_FORCE_CONFFOLD", "1");
    let status = command.status()?;
    match status.success() {
        true => Ok(()),
        false => Err(Failure::Command { shown, code: status.code() }),
    }
}

/// Debian's word to packages whether they may start services: no, until it is dropped. One that is there stays.
struct Policy<'p>(Option<&'p Path>);

impl<'p> Policy<'p> {
    fn forbid(path: &'p Path) -> Result<Self, Failure> {
        match fs::File::create_new(path) {
            Ok(mut file) => {
                let this = Self(Some(path));
                file.write_all(b"#!/bin/sh\nexit 101\n")?;
                Command::new("chmod").arg("755").arg(path).status()?;
                Ok(this)
            }
            Err(_) if path.exists() => Ok(Self(None)),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for Policy<'_> {
    fn drop(&mut self) {
        if let Some(path) = self.0 {
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_for_each_packager() {
        let [redis, _, pgbouncer, _] = NEEDS else { panic!("{NEEDS:?}") };
        assert_eq!(
            remedy(&[redis, pgbouncer]),
            "needed: redis-server or valkey-server, pgbouncer. Install what is missing; as root on Debian and Ubuntu \
             this is done for you:\n  apt-get install --no-install-recommends redis-server pgbouncer\n  \
             dnf install valkey pgbouncer\n  brew install valkey pgbouncer"
        );
    }

    #[test]
    fn a_program_is_found_in_the_path_and_in_the_folders_of_versions() {
        let folder = env::temp_dir().join(format!("countersign-setup-{}", std::process::id()));
        let bin = folder.join("15/bin");
        fs::create_dir_all(&bin).unwrap();
        fs::write(bin.join("a-server"), "").unwrap();
        let versions = folder.to_str().unwrap();
        assert_eq!(found("a-server", &[(versions, "1")]), Some(bin.join("a-server")));
        assert_eq!(found("a-server", &[(versions, "2")]), None);
        assert_eq!(found("a-server", &[]), None);
        assert!(found("cargo", &[]).is_some());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_policy_ends_with_the_installation_and_another_ones_stays() {
        let path = env::temp_dir().join(format!("countersign-policy-{}", std::process::id()));
        let ours = Policy::forbid(&path).unwrap();
        drop(Policy::forbid(&path).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "#!/bin/sh\nexit 101\n");
        drop(ours);
        assert!(!path.exists());
    }
}
