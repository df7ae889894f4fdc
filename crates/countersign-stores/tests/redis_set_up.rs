//! What `RedisStore` refuses at set-up, what it says, and what it never says.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

use std::{
    error::Error,
    fmt::Write,
    num::NonZeroU64,
    time::{Duration, Instant},
};

use countersign_core::dedupe::{Claim, Key, Store, Token};
use countersign_stores::{
    SetUpError,
    redis::{RedisStore, RedisStoreBuilder},
};
use testbed::{Redis, RedisOptions};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const LEASE: Duration = Duration::from_secs(30);

/// An error and its sources, as text and for debugging.
fn text(error: &SetUpError) -> String {
    let (mut text, mut next) = (format!("{error:?}"), Some(error as &dyn Error));
    while let Some(error) = next {
        write!(text, "\n{error}").unwrap();
        next = error.source();
    }
    text
}

/// Sets up a store that must be refused, and soon.
async fn refusal(builder: RedisStoreBuilder) -> SetUpError {
    let started = Instant::now();
    let error = builder.connect().await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    error
}

async fn assert_works(store: &RedisStore) {
    let (key, token) = (Key::new("set-up", "", ["works"]), Token::new(NonZeroU64::MAX));
    assert_eq!(store.claim(&key, token, LEASE).await.unwrap(), Claim::Claimed);
    store.commit(&key, token, LEASE).await.unwrap();
    assert_eq!(store.claim(&key, token, LEASE).await.unwrap(), Claim::Committed);
}

#[tokio::test]
async fn each_policy_but_noeviction_is_refused_unless_its_risk_is_named() {
    let Some(redis) = Redis::start() else { return };
    for policy in [
        "volatile-lru",
        "allkeys-lru",
        "volatile-lfu",
        "allkeys-lfu",
        "volatile-random",
        "allkeys-random",
        "volatile-ttl",
    ] {
        redis.command(&format!("CONFIG SET maxmemory-policy {policy}"));
        let error = refusal(RedisStore::builder(redis.url())).await;
        let SetUpError::LosesClaims { setting, found, remedy } = error else { panic!("{policy}: {error:?}") };
        assert_eq!((setting, found.as_str()), ("maxmemory-policy", policy));
        assert!(remedy.contains("noeviction"), "{remedy}");
        RedisStore::builder(redis.url()).dangerously_allow_eviction().connect().await.unwrap();
    }
    redis.command("CONFIG SET maxmemory-policy noeviction");
    assert_works(&RedisStore::connect(redis.url()).await.unwrap()).await;
}

#[tokio::test]
async fn one_primary_of_a_cluster_that_evicts_is_refused() {
    let Some(nodes) = Redis::cluster() else { return };
    nodes[2].command("CONFIG SET maxmemory-policy allkeys-lru");
    let error = refusal(RedisStore::cluster([nodes[0].url()])).await;
    assert!(matches!(error, SetUpError::LosesClaims { .. }), "{error:?}");
}

#[tokio::test]
async fn a_node_of_a_cluster_is_no_server_of_its_own() {
    let Some(nodes) = Redis::cluster() else { return };
    let error = text(&refusal(RedisStore::builder(nodes[0].url())).await);
    assert!(error.contains("RedisStore::cluster"), "{error}");
}

#[tokio::test]
async fn a_server_without_config_is_set_up_from_what_it_says_of_itself() {
    let settings = vec!["--rename-command CONFIG NOCONFIG".to_owned()];
    let Some(redis) = Redis::with(RedisOptions { settings, ..Default::default() }) else { return };
    assert_works(&RedisStore::connect(redis.url()).await.unwrap()).await;
}

#[tokio::test]
async fn a_user_who_may_not_ask_is_told_what_to_grant() {
    let Some(redis) = Redis::start() else { return };
    redis.command("ACL SETUSER hook on >open ~countersign:* +@all -info -config");
    let url = redis.url().replace("redis://", "redis://hook:open@");
    let error = text(&refusal(RedisStore::builder(&url)).await);
    assert!(error.contains("grant this user INFO"), "{error}");
    redis.command("ACL SETUSER hook +config|get");
    assert_works(&RedisStore::connect(&url).await.unwrap()).await;
    RedisStore::connect(format!("{url}/?protocol=resp3")).await.unwrap();
    redis.command("ACL SETUSER hook -config");
    redis.command("FLUSHALL");
    let store = RedisStore::builder(&url).dangerously_allow_eviction().connect().await.unwrap();
    assert_works(&store).await;
    redis.command("ACL SETUSER hook -@scripting");
    let error = text(&refusal(RedisStore::builder(&url).dangerously_allow_eviction()).await);
    assert!(error.contains("evalsha"), "{error}");
}

#[tokio::test]
async fn the_rights_that_the_documentation_names_suffice() {
    let Some(redis) = Redis::start() else { return };
    let rights = "+eval +evalsha +get +set +pexpire +pttl +del +info";
    redis.command(&format!("ACL SETUSER hook on >p@ss/w#rd:% ~countersign:* -@all {rights}"));
    let url = redis.url().replace("redis://", "redis://hook:p%40ss%2Fw%23rd%3A%25@");
    for url in [format!("{url}/0"), format!("{url}/?protocol=resp3")] {
        assert_works(&RedisStore::connect(url).await.unwrap()).await;
        redis.command("FLUSHALL");
    }
    let error = text(&refusal(RedisStore::builder(format!("{url}/1"))).await);
    assert!(error.contains("select"), "{error}");
    redis.command("ACL SETUSER hook +select");
    assert_works(&RedisStore::connect(format!("{url}/1")).await.unwrap()).await;
    assert_eq!(redis.command("DBSIZE"), ":0");
}

#[tokio::test]
async fn a_replica_is_refused() {
    let Some(primary) = Redis::start() else { return };
    let settings = vec![format!("--replicaof 127.0.0.1 {}", primary.port())];
    let Some(replica) = Redis::with(RedisOptions { settings, ..Default::default() }) else { return };
    let error = text(&refusal(RedisStore::builder(replica.url())).await);
    assert!(error.contains("replica"), "{error}");
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_never_shown() {
    let Some(redis) = Redis::with(RedisOptions { password: Some("open"), ..Default::default() }) else {
        return;
    };
    for url in [
        redis.url().replace("open", "hunter2"),
        redis.url().replace("open", "hunter2").replace("redis://", "rediss://"),
        "redis://:hunter2@127.0.0.1:1".into(),
        "redis://:hunter2@".into(),
        "redis://:hunter2@127.0.0.1/nowhere".into(),
        "http://:hunter2@127.0.0.1".into(),
    ] {
        let builder = RedisStore::builder(&url);
        assert!(!format!("{builder:?}").contains("hunter2"));
        let error = text(&refusal(builder).await);
        assert!(!error.contains("hunter2"), "{url}: {error}");
        let error = text(&refusal(RedisStore::cluster([&url])).await);
        assert!(!error.contains("hunter2"), "{url}: {error}");
    }
    let store = RedisStore::connect(redis.url()).await.unwrap();
    assert!(!format!("{store:?}").contains("open"));
}

#[tokio::test]
async fn nobody_there_a_server_that_hangs_and_no_time_at_all_are_refused_soon() {
    let error = refusal(RedisStore::builder("redis://127.0.0.1:1")).await;
    assert!(matches!(error, SetUpError::Connect { .. }), "{error:?}");
    let error = refusal(RedisStore::cluster(["redis://127.0.0.1:1"])).await;
    assert!(matches!(error, SetUpError::Connect { .. }), "{error:?}");
    let error = refusal(RedisStore::cluster(Vec::<String>::new())).await;
    assert!(matches!(error, SetUpError::Url { .. }), "{error:?}");
    let error = refusal(RedisStore::builder("redis://127.0.0.1:1").timeout(Duration::ZERO)).await;
    assert!(matches!(error, SetUpError::OutOfRange { .. }), "{error:?}");
    let Some(redis) = Redis::start() else { return };
    redis.signal("STOP");
    let error = refusal(RedisStore::builder(redis.url())).await;
    assert!(matches!(error, SetUpError::Connect { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_hangs_after_it_was_connected_to_is_refused_soon() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // The client greets by two commands that it wants answered.
        let _ = stream.read(&mut [0; 4096]).await;
        stream.write_all(b"+OK\r\n+OK\r\n").await.unwrap();
        std::future::pending::<()>().await;
    });
    let error = refusal(RedisStore::builder(url)).await;
    assert!(matches!(error, SetUpError::Connect { .. }), "{error:?}");
}

#[tokio::test]
async fn tls_works_with_its_authority_and_its_password_and_with_no_other() {
    let options = RedisOptions { tls: true, password: Some("open"), ..Default::default() };
    let Some(redis) = Redis::with(options.clone()) else { return };
    let Some(other) = Redis::with(options) else { return };
    let builder = RedisStore::builder(redis.url());
    let store = builder.clone().root_certificates(redis.authority()).connect().await.unwrap();
    assert_works(&store).await;
    let by_name = redis.url().replace("127.0.0.1", "localhost");
    RedisStore::builder(by_name).root_certificates(redis.authority()).connect().await.unwrap();
    for builder in [
        builder.clone(),
        builder.clone().root_certificates(other.authority()),
        RedisStore::builder(redis.url() + "/#insecure").root_certificates(redis.authority()),
        RedisStore::builder(redis.url().replace("rediss", "redis")),
    ] {
        let error = refusal(builder).await;
        assert!(matches!(error, SetUpError::Connect { .. }), "{error:?}");
        assert!(!text(&error).contains("open"), "{}", text(&error));
    }
    let error = refusal(builder.root_certificates("no certificate")).await;
    assert!(matches!(error, SetUpError::Connect { .. } | SetUpError::Url { .. }), "{error:?}");
}

#[tokio::test]
async fn keys_are_found_by_what_logs_show_and_expire_by_themselves() {
    let Some(redis) = Redis::start() else { return };
    let store = RedisStore::builder(redis.url()).prefix("hooks:").connect().await.unwrap();
    let (key, token) = (Key::new("set-up", "", ["found"]), Token::new(NonZeroU64::MIN));
    store.claim(&key, token, LEASE).await.unwrap();
    let left = |key: &Key| -> i64 {
        redis.command(&format!("PTTL hooks:{key}")).trim_start_matches(':').parse().unwrap()
    };
    assert!((29_000..=30_000).contains(&left(&key)));
    store.commit(&key, token, Duration::MAX).await.unwrap();
    assert!(left(&key) > 100 * 365 * 24 * 3_600_000);
    store.commit(&key, token, Duration::ZERO).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(redis.command(&format!("EXISTS hooks:{key}")), ":0");
    assert_eq!(store.held(), None);
}
