//! Set-up: is this server one that keeps claims, and are the tables there.

use sqlx::{
    AssertSqlSafe, Connection, PgConnection, PgPool, Row,
    postgres::{PgConnectOptions, PgRow, PgSslMode},
};

use super::PostgresStore;
use crate::SetUpError;

/// The advisory lock of the one who makes the tables.
const LOCK: i64 = i64::from_be_bytes(*b"ctrsign1");

/// Answers the server's `synchronous_commit`.
pub(super) async fn run(pool: &PgPool, schema: &str, may_lose_claims: bool) -> Result<String, SetUpError> {
    // A connection of its own says at once why there is none; a pool tries until it times out.
    let options = pool.connect_options();
    choose_cryptography(&options);
    let mut connection = sqlx::ConnectOptions::connect(&*options).await.map_err(of_client)?;
    let settings = one(
        &mut connection,
        "SELECT pg_is_in_recovery(), current_setting('fsync'), current_setting('full_page_writes'), \
         current_setting('synchronous_commit')"
            .to_owned(),
    )
    .await
    .map_err(of_client)?;
    if settings.try_get_unchecked(0).map_err(of_client)? {
        return Err(SetUpError::Standby);
    }
    for (place, setting, remedy) in [
        (1, "fsync", "turn it on in the server's configuration"),
        (2, "full_page_writes", "turn it on in the server's configuration"),
        (3, "synchronous_commit", "set it to on, for this role or database if not for the server"),
    ] {
        let found: String = settings.try_get_unchecked(place).map_err(of_client)?;
        if found == "off" && !may_lose_claims {
            return Err(SetUpError::LosesClaims { setting, found, remedy });
        }
    }
    if !missing(&mut connection, schema).await?.is_empty() {
        migrate(&mut connection, schema).await?;
    }
    // Whether it goes well does not matter any more.
    let _ = connection.close().await;
    settings.try_get_unchecked(3).map_err(of_client)
}

/// Makes what is missing, in one transaction, and alone: many processes may start at once.
async fn migrate(connection: &mut PgConnection, schema: &str) -> Result<(), SetUpError> {
    let mut transaction = connection.begin().await.map_err(of_client)?;
    let lock = format!("SELECT pg_advisory_xact_lock({LOCK})");
    execute(&mut transaction, lock).await?;
    let there = format!("SELECT to_regnamespace('\"{schema}\"') IS NOT NULL");
    if !one(&mut transaction, there)
        .await
        .and_then(|row| row.try_get_unchecked::<bool, _>(0))
        .map_err(of_client)?
    {
        execute(&mut transaction, format!(r#"CREATE SCHEMA "{schema}""#)).await?;
    }
    execute(&mut transaction, format!(r#"SET LOCAL search_path TO "{schema}""#)).await?;
    for migration in missing(&mut transaction, schema).await? {
        execute(&mut transaction, (*migration).to_owned()).await?;
    }
    transaction.commit().await.map_err(of_client)
}

/// The migrations that have not been run.
async fn missing(connection: &mut PgConnection, schema: &str) -> Result<&'static [&'static str], SetUpError> {
    let known = PostgresStore::MIGRATIONS;
    let table = format!(r#""{schema}".countersign_state"#);
    let there = format!("SELECT to_regclass('{table}') IS NOT NULL");
    if !one(connection, there).await.and_then(|row| row.try_get_unchecked::<bool, _>(0)).map_err(of_client)? {
        return Ok(known);
    }
    let version = one(connection, format!("SELECT version FROM {table}")).await.map_err(of_client)?;
    let found: i32 = version.try_get_unchecked(0).map_err(of_client)?;
    let found = usize::try_from(found).unwrap_or_default();
    known.get(found..).ok_or(SetUpError::Newer { found: found as u64, known: known.len() as u64 })
}

async fn one(connection: &mut PgConnection, statement: String) -> Result<PgRow, sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(statement)).fetch_one(connection).await
}

async fn execute(connection: &mut PgConnection, statement: String) -> Result<(), SetUpError> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.map(drop).map_err(of_client)
}

fn of_client(error: sqlx::Error) -> SetUpError {
    SetUpError::Connect { source: error.into() }
}

/// With `sslmode=verify-ca` the client asks rustls for its default of cryptography, which panics where several are built in
/// and none was chosen.
fn choose_cryptography(options: &PgConnectOptions) {
    if matches!(options.get_ssl_mode(), PgSslMode::VerifyCa) {
        // Refused where the program has chosen one before: that one is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}
