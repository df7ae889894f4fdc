//! An effect that happens exactly once: the claim, the effect and the record of it in one transaction of Postgres.
//!
//! `DATABASE_URL=postgres://.. cargo run -p countersign-examples --features postgres --bin exactly_once`

use std::{env, sync::Arc};

use countersign::{
    Clock, Headers, PostgresStore, Receiver, Secret, Signer, SystemClock,
    dedupe::Claim,
    provider::{Retake, retake::Event},
};
use sqlx::PgPool;
use tokio::task::JoinSet;

type Error = Box<dyn std::error::Error + Send + Sync>;

struct App {
    receiver: Receiver<Retake>,
    store: Arc<PostgresStore>,
    pool: PgPool,
}

impl App {
    /// Handles one request; the status that the sender gets.
    async fn receive(&self, headers: &(impl Headers + Sync), body: &'static str) -> Result<u16, Error> {
        let Self { receiver, store, pool } = self;
        let Ok(delivery) = receiver.verifier().verify(headers, body, SystemClock.now()) else {
            return Ok(401);
        };
        let mut transaction = pool.begin().await?;
        match store.claim_in(&mut transaction, &receiver.keys(&delivery), receiver.retention()).await {
            Ok(Claim::Claimed) => {}
            Ok(Claim::Committed) => return Ok(200),
            _ => return Ok(503),
        }
        if let Event::IntentConverted(converted) = delivery.event()? {
            let insert = sqlx::query("INSERT INTO recovered (intent, value) VALUES ($1, $2::numeric)");
            let value = converted.data.value.map(|value| value.to_string());
            insert.bind(converted.data.intent_id.to_string()).bind(value).execute(&mut *transaction).await?;
        }
        // A crash before this line leaves neither the row nor the claim, one after it leaves both.
        transaction.commit().await?;
        Ok(200)
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let Ok(url) = env::var("DATABASE_URL") else {
        return Err("set DATABASE_URL, such as postgres://user:password@localhost/database".into());
    };
    let pool = PgPool::connect(&url).await?;
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS recovered (intent text NOT NULL, value numeric)")
        .execute(&pool)
        .await?;
    let secret = Secret::new("retake_secret")?;
    let store = Arc::new(PostgresStore::with_pool(pool.clone()).connect().await?);
    let receiver = Receiver::builder(&secret).store(Arc::clone(&store)).build()?;
    let app = Arc::new(App { receiver, store, pool });

    // Another purchase each time this runs, and the sender sends it ten times at once.
    let now = SystemClock.now();
    let id = format!("int_{now:?}");
    let body = format!(
        r#"{{"event":"intent.converted","timestamp":"2024-01-15T10:30:00Z","data":{{"intentId":"{id}","value":149.99}}}}"#
    );
    let body: &'static str = body.leak();
    let headers = Signer::<Retake>::new(&secret).sign(body, now)?;
    let mut sends = JoinSet::new();
    for _ in 0..10 {
        let (app, headers) = (Arc::clone(&app), headers.clone());
        sends.spawn(async move { app.receive(&headers, body).await });
    }
    while let Some(status) = sends.join_next().await {
        println!("answered {}", status??);
    }
    println!("sent once more: answered {}", app.receive(&headers, body).await?);
    let count = sqlx::query_scalar("SELECT count(*) FROM recovered WHERE intent = $1").bind(&id);
    let count: i64 = count.fetch_one(&app.pool).await?;
    println!("rows of this purchase: {count}");
    if count == 1 { Ok(()) } else { Err("the effect did not happen exactly once".into()) }
}
