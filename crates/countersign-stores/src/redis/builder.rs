//! `RedisStoreBuilder`: how a store is reached, and what it may run on.

use std::{error::Error, fmt, time::Duration};

use redis::{
    Client, ClientTlsConfig, ConnectionAddr, IntoConnectionInfo, RedisError, TlsCertificates,
    cluster::ClusterClient,
};
use rustls::crypto::{CryptoProvider, ring};

use super::{
    link::{Link, Target},
    server,
    store::RedisStore,
};
use crate::SetUpError;

const TIMEOUT: Duration = Duration::from_secs(1);
const PREFIX: &str = "countersign:";

/// How often a cluster's client follows a key that has moved, and how long it waits in between, in milliseconds.
const CLUSTER_RETRIES: u32 = 4;
const CLUSTER_WAIT: (u64, u64) = (10, 200);

/// Settings of a [`RedisStore`].
#[derive(Clone)]
pub struct RedisStoreBuilder {
    urls: Vec<String>,
    cluster: bool,
    timeout: Duration,
    prefix: String,
    root_certificates: Option<Vec<u8>>,
    client_certificate: Option<(Vec<u8>, Vec<u8>)>,
    allow_eviction: bool,
}

impl RedisStoreBuilder {
    pub(super) fn new(urls: Vec<String>, cluster: bool) -> Self {
        Self {
            urls,
            cluster,
            timeout: TIMEOUT,
            prefix: PREFIX.to_owned(),
            root_certificates: None,
            client_certificate: None,
            allow_eviction: false,
        }
    }

    /// How long a call may take in all, connecting anew included: a second unless set here.
    ///
    /// Past it the call is a [`StoreError::TimedOut`](countersign_core::StoreError::TimedOut), and the delivery is answered with a
    /// 503. Senders wait for 5 to 6 s, and a delivery has up to three keys, which are claimed one after the other.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// What the names of the keys begin with: `countersign:` unless set here. The key's digest in hex follows, as logs show it.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The certificates, as PEM, of the only authorities that a server's certificate may be from: those of the system unless
    /// set here. For `rediss://` alone.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates = Some(pem.into());
        self
    }

    /// The certificate and its key, as PEM, for a server that asks its clients for one. For `rediss://` alone.
    #[must_use]
    pub fn client_certificate(mut self, certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.client_certificate = Some((certificate.into(), key.into()));
        self
    }

    /// Accepts a server that may drop keys when its memory is full, or whose settings cannot be read.
    ///
    /// A committed key that is dropped before its time has its delivery handled a second time, if the sender sends it again. A
    /// claim that is dropped lets a second handler in while the first is at work.
    #[must_use]
    pub fn dangerously_allow_eviction(mut self) -> Self {
        self.allow_eviction = true;
        self
    }

    /// Connects, and reads of the server, or of each primary of a cluster, whether it would lose claims.
    ///
    /// # Errors
    /// [`SetUpError::Url`]; [`SetUpError::OutOfRange`] for a time-out of zero; [`SetUpError::Connect`] when nobody answers within the
    /// time-out, when the server refuses the password, when TLS fails, when it is a replica, and when it is a cluster's
    /// node and this is not [`RedisStore::cluster`]; [`SetUpError::LosesClaims`] when its `maxmemory-policy` is not `noeviction`.
    pub async fn connect(self) -> Result<RedisStore, SetUpError> {
        if self.timeout.is_zero() {
            return Err(SetUpError::OutOfRange { setting: "timeout", allowed: "longer than zero" });
        }
        let target = self.target().map_err(|source| SetUpError::Url { source: source.into() })?;
        let link = Link::open(target, self.timeout).await.map_err(refused)?;
        let sets_and_gets = server::check(&link, self.cluster, self.allow_eviction).await?;
        RedisStore::new(link, self.prefix, sets_and_gets).await
    }

    fn target(&self) -> Result<Target, RedisError> {
        let infos: Vec<_> =
            self.urls.iter().map(|url| url.as_str().into_connection_info()).collect::<Result<_, _>>()?;
        if infos.iter().any(|info| matches!(info.addr(), ConnectionAddr::TcpTls { .. })) {
            choose_cryptography();
        }
        let certificates = TlsCertificates {
            client_tls: self
                .client_certificate
                .clone()
                .map(|(client_cert, client_key)| ClientTlsConfig { client_cert, client_key }),
            root_cert: self.root_certificates.clone(),
        };
        let with_certificates = certificates.client_tls.is_some() || certificates.root_cert.is_some();
        if self.cluster {
            let mut builder = ClusterClient::builder(infos)
                .connection_timeout(self.timeout)
                .response_timeout(self.timeout)
                .overall_response_timeout(None)
                .retries(CLUSTER_RETRIES)
                .min_retry_wait(CLUSTER_WAIT.0)
                .max_retry_wait(CLUSTER_WAIT.1);
            if with_certificates {
                builder = builder.certs(certificates);
            }
            return builder.build().map(Target::Cluster);
        }
        let info =
            infos.into_iter().next().ok_or((redis::ErrorKind::InvalidClientConfig, "there is no URL"))?;
        let client =
            if with_certificates { Client::build_with_tls(info, certificates) } else { Client::open(info) };
        client.map(Target::Server)
    }
}

/// Sees to it that the process has a default for TLS, as the client takes that, and panics where both of rustls' features for
/// cryptography are on and nobody has chosen.
fn choose_cryptography() {
    if CryptoProvider::get_default().is_none() {
        // Fails where somebody else was faster, which is as good.
        let _ = ring::default_provider().install_default();
    }
}

pub(super) fn refused(source: impl Into<Box<dyn Error + Send + Sync>>) -> SetUpError {
    SetUpError::Connect { source: source.into() }
}

/// Without the URLs and the key, as they hold secrets.
impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreBuilder")
            .field("cluster", &self.cluster)
            .field("timeout", &self.timeout)
            .field("prefix", &self.prefix)
            .field("allow_eviction", &self.allow_eviction)
            .finish_non_exhaustive()
    }
}
