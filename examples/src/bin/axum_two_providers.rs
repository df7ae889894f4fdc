//! Two providers under axum, sharing one store. Listens on 127.0.0.1:3000, or on the address in `ADDRESS`.

use std::{env, sync::Arc, time::Duration};

use axum::{Router, extract::State, http::StatusCode};
use countersign::{
    MemoryStore, Receiver, Secret,
    axum::{Webhook, post},
    provider::{Retake, RevKeen, retake, revkeen},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let store = Arc::new(MemoryStore::new(1_000_000));
    let retake = Receiver::<Retake>::builder(Secret::new(env::var("RETAKE_SECRET")?)?)
        .store(Arc::clone(&store))
        .build()?;
    // Refuses the form of RevKeen's dashboard page, which signs no timestamp.
    let revkeen = Receiver::<RevKeen>::builder(Secret::new(env::var("REVKEEN_SECRET")?)?)
        .store(store)
        .require_timestamp()
        .build()?;

    let app = Router::new()
        .route("/webhooks/retake", post(retake.clone(), on_retake))
        .route("/webhooks/revkeen", post(revkeen.clone(), on_revkeen))
        .with_state(Ledger);
    let address = env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    axum::serve(tokio::net::TcpListener::bind(address).await?, app)
        .with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) })
        .await?;
    // Handlers whose sender has hung up go on, and the server does not wait for them.
    let timeout = Duration::from_secs(20);
    tokio::join!(retake.drain(timeout, tokio::time::sleep), revkeen.drain(timeout, tokio::time::sleep));
    Ok(())
}

/// Stands for what your service works with.
#[derive(Clone)]
struct Ledger;

async fn on_retake(State(_ledger): State<Ledger>, webhook: Webhook<Retake>) -> Result<(), StatusCode> {
    match webhook.event {
        retake::Event::IntentConverted(converted) => println!("converted: {:?}", converted.data.value),
        retake::Event::Unknown(unknown) => println!("a kind newer than this crate: {}", unknown.kind),
        _ => {}
    }
    Ok(())
}

async fn on_revkeen(State(_ledger): State<Ledger>, webhook: Webhook<RevKeen>) -> Result<(), StatusCode> {
    if let revkeen::Event::InvoicePaid(event) = webhook.event {
        println!("paid: {:?}", event.data.object);
    }
    Ok(())
}
