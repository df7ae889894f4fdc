//! One route for many providers and tenants, read from a configuration file; secrets are looked up, and rotated without a restart.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use axum::Router;
use countersign::{
    Description, MemoryStore, Registry, Secret, SecretError, Settings, Signer, TenantSecrets, Timestamp,
    axum::{Rejection, Webhook, post_any},
    provider::{Custom, Retake},
};
use serde::Deserialize;

const CONFIGURATION: &str = r#"
    [[provider]]
    name = "acme-pay"
    kind = { body = "type" }

    [[provider.scheme]]
    algorithm = "hmac-sha256"
    header = "X-Acme-Signature"
    grammar = { list = { separator = ",", timestamp = "t", signature = "v1" } }
    timestamp = { source = "signature", format = "unix-seconds" }
    signs = "{timestamp}.{body}"

    [settings.revkeen]
    require_timestamp = true

    [secrets.retake]
    initech = "initech's secret"
    globex = "globex's secret"

    [secrets.acme-pay]
    initech = "another secret"
"#;

#[derive(Deserialize)]
struct Configuration {
    provider: Vec<Description>,
    settings: HashMap<String, Settings>,
    secrets: Vault,
}

/// Stands for your secret store: by provider and tenant.
type Vault = HashMap<String, HashMap<String, String>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Configuration { provider, settings, secrets } = toml::from_str(CONFIGURATION)?;
    let acme = provider[0].clone();
    let vault = Arc::new(Mutex::new(secrets));
    let secret_of = {
        let vault = Arc::clone(&vault);
        move |provider: String, tenant: String| {
            let vault = Arc::clone(&vault);
            async move { look_up(&vault, &provider, &tenant) }
        }
    };
    let mut builder = Registry::builder(secret_of).built_in().store(MemoryStore::new(1_000_000));
    for description in provider {
        builder = builder.provider(description);
    }
    for (name, settings) in settings {
        builder = builder.settings(name, settings);
    }
    let registry = builder.build()?;

    let app = Router::new().route("/webhooks/{provider}/{tenant}", post_any(registry.clone(), on_any));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });

    let body = r#"{"event":"trial.expired","data":{"userId":"user_456"}}"#;
    let retake = |secret| Ok::<_, countersign::ConfigError>(Signer::<Retake>::new(&Secret::new(secret)?));
    send(address, "retake/initech", &retake("initech's secret")?, body).await?;
    send(address, "retake/globex", &retake("globex's secret")?, body).await?;
    send(address, "retake/globex", &retake("initech's secret")?, body).await?;
    send(address, "retake/nobody", &retake("initech's secret")?, body).await?;
    let acme = Signer::<Custom>::custom(acme, &Secret::new("another secret")?)?;
    send(address, "acme-pay/initech", &acme, r#"{"type":"paid"}"#).await?;

    println!("rotating globex's secret");
    vault.lock().unwrap().get_mut("retake").unwrap().insert("globex".to_owned(), "rotated".to_owned());
    let body = body.replace("456", "457");
    send(address, "retake/globex", &retake("rotated")?, &body).await?;
    send(address, "retake/globex", &retake("globex's secret")?, &body).await?;

    let left = registry.drain(Duration::from_secs(20), tokio::time::sleep).await;
    println!("{left} deliveries are still being handled");
    Ok(())
}

/// `None` is a 404, an error a 503 unless what was looked up before serves on. The name that is returned is
/// the vault's own.
fn look_up(vault: &Mutex<Vault>, provider: &str, tenant: &str) -> Result<Option<TenantSecrets>, SecretError> {
    let vault = vault.lock().map_err(|error| SecretError::unavailable(error.to_string()))?;
    match vault.get(provider).and_then(|tenants| tenants.get_key_value(tenant)) {
        Some((tenant, secret)) => Ok(Some(TenantSecrets::new(tenant, Secret::new(secret.clone())?))),
        None => Ok(None),
    }
}

async fn on_any(webhook: Webhook<Custom>) -> Result<(), Rejection> {
    // Typed where it is one of a built-in provider; a payload that does not fit is answered as everywhere.
    match webhook.of::<Retake>() {
        Some(webhook) => println!("  retake: {:?}", webhook?.event),
        None => println!("  {}: {:?}", webhook.delivery.provider(), webhook.event),
    }
    Ok(())
}

async fn send<P: countersign::Provider>(
    address: SocketAddr,
    path: &str,
    signer: &Signer<P>,
    body: &str,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut request = reqwest::Client::new().post(format!("http://{address}/webhooks/{path}"));
    for (name, value) in signer.sign(body, Timestamp::from(SystemTime::now()))?.iter() {
        request = request.header(name, value);
    }
    println!("{path}: {}", request.body(body.to_owned()).send().await?.status());
    Ok(())
}
