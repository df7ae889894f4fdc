//! TLS by the URL, as libpq's users expect it.

use std::{fs, path::Path, process::Command};

use countersign_core::dedupe::{Claim, Store};
use countersign_stores::{SetUpError, postgres::PostgresStore};
use testbed::{Postgres, Program};

use crate::{LEASE, key, token};

#[tokio::test]
async fn the_url_says_how_far_the_server_is_trusted() {
    let Some(openssl) = Program::find(&["openssl"], &[]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let ours = authority(&openssl, folder.path(), "ours");
    let other = authority(&openssl, folder.path(), "other");
    let (certificate, secret) = certificate(&openssl, folder.path(), "ours");
    let Some(postgres) = Postgres::options().tls(&certificate, &secret).start() else { return };
    let url = |parameters: &str| format!("{}?{parameters}", postgres.url());
    let by_name = |parameters: &str| url(parameters).replace("127.0.0.1", "localhost");
    let by_number = |parameters: &str| url(parameters);

    for good in [
        by_number("sslmode=require"),
        by_number("sslmode=prefer"),
        by_number(&format!("sslmode=verify-ca&sslrootcert={ours}")),
        by_name(&format!("sslmode=verify-ca&sslrootcert={ours}")),
        by_name(&format!("sslmode=verify-full&sslrootcert={ours}")),
    ] {
        let store = PostgresStore::connect(&good).await.unwrap_or_else(|error| panic!("{good}: {error:?}"));
        let claimed = store.claim(&key(&good), token(), LEASE).await.unwrap();
        assert_eq!(claimed, Claim::Claimed, "{good}");
    }
    for bad in [
        by_number("sslmode=disable"),
        by_number("sslmode=verify-full"),
        // The certificate is for the name.
        by_number(&format!("sslmode=verify-full&sslrootcert={ours}")),
        by_name(&format!("sslmode=verify-full&sslrootcert={other}")),
        by_name(&format!("sslmode=verify-ca&sslrootcert={other}")),
        by_name("sslmode=verify-full&sslrootcert=/nowhere.pem"),
    ] {
        let refused = PostgresStore::connect(&bad).await.err();
        assert!(matches!(refused, Some(SetUpError::Connect { .. })), "{bad}: {refused:?}");
    }
}

/// A certificate authority's certificate file.
fn authority(openssl: &Program, folder: &Path, name: &str) -> String {
    let file = folder.join(format!("{name}.pem")).display().to_string();
    let key = folder.join(format!("{name}.key")).display().to_string();
    let request =
        "req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2 -subj /CN=authority";
    run(openssl, &format!("{request} -keyout {key} -out {file}"));
    file
}

/// A certificate for localhost, and its key.
fn certificate(openssl: &Program, folder: &Path, authority: &str) -> (String, String) {
    let path = |name: &str| folder.join(name).display().to_string();
    let (request, secret, file, names) =
        (path("request"), path("secret"), path("certificate"), path("names"));
    fs::write(&names, "subjectAltName=DNS:localhost\n").unwrap();
    let new = "req -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -subj /CN=localhost";
    run(openssl, &format!("{new} -keyout {secret} -out {request}"));
    let (ca, key) = (path(&format!("{authority}.pem")), path(&format!("{authority}.key")));
    run(
        openssl,
        &format!(
            "x509 -req -in {request} -CA {ca} -CAkey {key} -CAcreateserial -days 2 -extfile {names} -out {file}"
        ),
    );
    (fs::read_to_string(file).unwrap(), fs::read_to_string(secret).unwrap())
}

fn run(openssl: &Program, arguments: &str) {
    let output = Command::new(openssl.path()).args(arguments.split(' ')).output().unwrap();
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}
