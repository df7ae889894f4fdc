//! One provider under actix-web. Listens on 127.0.0.1:3000, or on the address in `ADDRESS`.

use std::{env, time::Duration};

use actix_web::{App, HttpServer, rt};
use countersign::{
    MemoryStore, Receiver, Secret,
    actix::{Webhook, post},
    provider::{Raaft, raaft::Event},
};

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    // Built once and cloned into each worker: they must share the store.
    let receiver = Receiver::<Raaft>::builder(Secret::new(env::var("RAAFT_TOKEN")?)?)
        .store(MemoryStore::new(1_000_000))
        .build()?;
    let address = env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let handled = receiver.clone();
    let server =
        HttpServer::new(move || App::new().route("/webhooks/raaft", post(receiver.clone(), on_raaft)))
            .bind(address)?
            .disable_signals()
            .run();
    let handle = server.handle();
    rt::spawn(async move {
        if rt::signal::ctrl_c().await.is_err() {
            return;
        }
        // Handlers whose sender has hung up go on until their worker stops: it waits for connections only.
        handle.pause().await;
        handled.drain(Duration::from_secs(20), rt::time::sleep).await;
        handle.stop(true).await;
    });
    server.await?;
    Ok(())
}

async fn on_raaft(webhook: Webhook<Raaft>) -> &'static str {
    if let Event::Saved(cancellation) = webhook.event {
        println!("saved: {:?}", cancellation.response_accepted);
    }
    ""
}
