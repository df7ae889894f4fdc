//! What a server says of itself, and whether claims are safe with it.

use redis::{ErrorKind, FromRedisValue, RedisError, ServerErrorKind, Value, cmd};

use super::{builder::refused, link::Link};
use crate::SetUpError;

/// Asks every primary, and refuses one that would lose claims. Answers whether `SET` takes `NX` and `GET` together: since
/// Redis 7.0.
pub(super) async fn check(link: &Link, cluster: bool, allow_eviction: bool) -> Result<bool, SetUpError> {
    let infos: Vec<Info> = match texts(link, cmd("INFO")).await {
        Ok(texts) => texts.into_iter().map(Info).collect(),
        Err(error) if is_denied(&error) => Vec::new(),
        Err(error) => return Err(refused(error)),
    };
    if !allow_eviction {
        let told: Option<Vec<_>> =
            infos.iter().map(|info| Some(info.field("maxmemory_policy")?.to_owned())).collect();
        let policies = match told {
            Some(policies) if !policies.is_empty() => policies,
            _ => configured_policies(link).await,
        };
        keeps_claims(&policies)?;
    }
    for info in &infos {
        info.is_fit(cluster)?;
        info.warn();
    }
    Ok(!infos.is_empty() && infos.iter().all(|info| info.major() >= 7))
}

/// Whether the server is there, and does not let us ask this.
fn is_denied(error: &RedisError) -> bool {
    use ServerErrorKind::{NoPerm, ResponseError};
    matches!(error.kind(), ErrorKind::Server(NoPerm | ResponseError))
}

/// For servers that leave the policy out of `INFO`. Managed ones disable `CONFIG`, others grant it to few.
async fn configured_policies(link: &Link) -> Vec<String> {
    let mut command = cmd("CONFIG");
    command.arg("GET").arg("maxmemory-policy");
    let answers = link.ask_primaries(&command).await.unwrap_or_default();
    // A list in one version of the protocol, a map in the other.
    let pairs =
        answers.into_iter().filter_map(|answer| Vec::<(String, String)>::from_redis_value(answer).ok());
    pairs.flatten().map(|(_, policy)| policy).collect()
}

fn keeps_claims(policies: &[String]) -> Result<(), SetUpError> {
    let loses = |found: &str, remedy| SetUpError::LosesClaims {
        setting: "maxmemory-policy",
        found: found.to_owned(),
        remedy,
    };
    if policies.is_empty() {
        return Err(loses(
            "not to be read",
            "grant this user INFO or CONFIG GET, or accept the loss by dangerously_allow_eviction()",
        ));
    }
    match policies.iter().find(|policy| *policy != "noeviction") {
        Some(policy) => Err(loses(
            policy,
            "set it to noeviction, use a server of its own for claims, or accept the loss by dangerously_allow_eviction()",
        )),
        None => Ok(()),
    }
}

async fn texts(link: &Link, command: redis::Cmd) -> Result<Vec<String>, RedisError> {
    let answers: Vec<Value> = link.ask_primaries(&command).await?;
    answers.into_iter().map(|answer| Ok(String::from_redis_value(answer)?)).collect()
}

/// The answer to `INFO`.
struct Info(String);

impl Info {
    fn field(&self, name: &str) -> Option<&str> {
        self.0
            .lines()
            .filter_map(|line| line.trim_end().split_once(':'))
            .find(|(field, _)| *field == name)
            .map(|(_, value)| value)
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.field(name) == Some(value)
    }

    /// The version of Redis that it is, or, if it is Valkey, is like.
    fn major(&self) -> u32 {
        let version = self.field("redis_version").and_then(|version| version.split('.').next());
        version.and_then(|major| major.parse().ok()).unwrap_or(0)
    }

    fn is_fit(&self, cluster: bool) -> Result<(), SetUpError> {
        if self.is("role", "slave") {
            return Err(refused("the server is a replica: connect to its primary"));
        }
        if self.is("cluster_enabled", "1") && !cluster {
            return Err(refused("the server is a node of a cluster: use RedisStore::cluster"));
        }
        Ok(())
    }

    /// Says what no set-up can rule out.
    fn warn(&self) {
        if self.is("aof_enabled", "0") {
            tracing::warn!(
                "the store's server keeps no append-only file: what was committed since its last snapshot is forgotten when it \
                 crashes, and handled again if it is sent again; set `appendonly yes`"
            );
        }
        if self.field("connected_slaves").is_some_and(|replicas| replicas != "0") {
            tracing::warn!(
                "the store's server has replicas, which it does not wait for: what was committed in the last moment before a \
                 fail-over is forgotten, and handled again if it is sent again; `min-replicas-to-write 1` bounds that moment"
            );
        }
    }
}
