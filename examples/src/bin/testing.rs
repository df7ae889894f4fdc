//! Testing your own handler: `Signer` makes the headers that the provider would send.

use std::time::SystemTime;

use axum::{Router, body::Body, http::StatusCode};
use countersign::{
    MemoryStore, Receiver, Secret, Signer, Timestamp, Verifier,
    axum::{Webhook, post},
    provider::{Retake, retake::Event},
};
use tower::ServiceExt;

/// The application, as it runs in production.
fn app(secret: &Secret) -> Result<Router, countersign::ConfigError> {
    let receiver = Receiver::<Retake>::builder(secret).store(MemoryStore::new(1000)).build()?;
    Ok(Router::new().route("/webhooks/retake", post(receiver, on_retake)))
}

async fn on_retake(webhook: Webhook<Retake>) -> Result<(), StatusCode> {
    match webhook.event {
        Event::TrialExpired(trial) if trial.data.email.is_none() => Err(StatusCode::INTERNAL_SERVER_ERROR),
        _ => Ok(()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = Secret::new("a secret for the test")?;
    for (body, status) in [
        (r#"{"event":"trial.expired","data":{"userId":"user_456","email":"a@example.com"}}"#, 200),
        (r#"{"event":"trial.expired","data":{"userId":"user_456"}}"#, 500),
    ] {
        let now = Timestamp::from(SystemTime::now());
        let signed = Signer::<Retake>::new(&secret).sign(body, now)?;

        // The handler alone.
        let delivery = Verifier::<Retake>::new(&secret)?.verify(&signed, body, now)?;
        assert_eq!(on_retake(Webhook::try_from(delivery)?).await.is_ok(), status == 200);

        // The whole application.
        let mut request = http::Request::post("/webhooks/retake").body(Body::from(body))?;
        *request.headers_mut() = signed.into();
        let response = app(&secret)?.oneshot(request).await?;
        assert_eq!(response.status(), status);
        println!("{body}: {status}");
    }
    Ok(())
}
