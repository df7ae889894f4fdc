//! Verify one delivery under any framework: headers and body in, a proof out.

use countersign::{Secret, VerifyError, provider::Retake};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = Secret::new("retake_secret")?;
    let headers =
        [("X-Webhook-Signature", "sha256=2a5353ac343b35701a0297aed52c55725036e711d8eb8d6f3d0f6e7db254428e")];
    let body = r#"{"event":"intent.tracked","timestamp":"2024-01-15T10:30:00Z","data":{"intentId":"int_abc123","userId":"user_456"}}"#;

    let delivery = countersign::verify::<Retake>(&secret, &headers, body)?;
    println!("genuine: {:?}", delivery.event()?);

    let forged = body.replace("user_456", "user_457");
    let verdict = countersign::verify::<Retake>(&secret, &headers, &forged);
    assert_eq!(verdict.err(), Some(VerifyError::WrongSignature));
    println!("one digit changed: refused");
    Ok(())
}
