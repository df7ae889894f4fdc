//! Rotating a secret: while both are live, deliveries signed with either are genuine.

use std::time::SystemTime;

use countersign::{Secret, Secrets, Signer, Timestamp, Verifier, provider::RetentBase};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (old, new) = (Secret::new("the old secret")?, Secret::new("the new secret")?);
    let (now, body) = (Timestamp::from(SystemTime::now()), r#"{"outcome":"recovered"}"#);
    let by = |secret: &Secret| Signer::<RetentBase>::new(secret).kind("cancellation.created").sign(body, now);

    // 1. Before the rotation, and after it, one secret is live.
    // 2. While the provider switches, both are: deploy this first, then change the secret in the dashboard.
    let live = Secrets::new([new.clone(), old.clone()])?;
    for (step, secrets) in [("before", Secrets::from(&old)), ("during", live), ("after", Secrets::from(&new))]
    {
        let verifier = Verifier::<RetentBase>::new(secrets)?;
        for (name, secret) in [("old", &old), ("new", &new)] {
            let verdict = verifier.verify(&by(secret)?, body, now);
            let verdict = verdict.map_or_else(|error| error.to_string(), |_| "genuine".to_owned());
            println!("{step} the rotation, signed with the {name} secret: {verdict}");
        }
    }
    Ok(())
}
