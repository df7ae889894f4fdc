//! `Search`: one request's way to its receiver, by what is known or by a look-up that others may share.

use std::{pin::pin, sync::Arc, time::Duration};

use super::{
    Listed, LookUpError, Registry, TenantSecrets,
    found::Again,
    tenants::{Began, Sought, Step, Times},
};
use crate::{
    dedupe::BoxFuture,
    provider::Custom,
    receiver::{Receiver, Runtime, unwound, within},
    secret::Secrets,
};

/// How many steps a search takes at most: a look-up that had begun before, a pause, a look-up, and what these
/// found. More are taken only where the clock does not go on while the runtime waits.
const MAX_STEPS: usize = 6;

/// One request's search for its receiver.
#[derive(Clone)]
pub(super) struct Search<R> {
    registry: Registry,
    listed: Arc<Listed>,
    tenant: Arc<str>,
    runtime: R,
    /// The request's place in the order of requests and look-ups.
    arrived: u64,
}

impl<R: Runtime> Search<R> {
    /// A search for a request that arrives now.
    pub(super) fn new(registry: Registry, listed: Arc<Listed>, tenant: &str, runtime: R) -> Self {
        let arrived = listed.tenants.number();
        Self { registry, listed, tenant: tenant.into(), runtime, arrived }
    }

    /// The receiver; where it is the same as `wrong`, its secrets are up to date.
    pub(super) async fn seek(&self, wrong: Option<&Receiver<Custom>>) -> Sought {
        let receiver = self.seek_any(wrong).await?;
        match wrong.is_some_and(|wrong| receiver.is(wrong)) {
            true => self.listed.tenants.doubt(&self.tenant).map_or(Ok(receiver), Err),
            false => Ok(receiver),
        }
    }

    async fn seek_any(&self, wrong: Option<&Receiver<Custom>>) -> Sought {
        let (tenants, tenant, times) = (&self.listed.tenants, &*self.tenant, self.times());
        let ask = |began| -> BoxFuture<'static, Sought> {
            let search = self.clone();
            Box::pin(async move { search.settle(search.ask().await, began) })
        };
        let mut seat = None;
        for _ in 0..MAX_STEPS {
            let Some(now) = self.elapsed() else {
                // How old a look-up is, nobody can tell: each serves one request.
                return match wrong {
                    Some(receiver) => Ok(receiver.clone()),
                    None => self.make(self.ask().await?),
                };
            };
            let step = match wrong {
                Some(receiver) => {
                    tenants.step_after((receiver, self.arrived), tenant, now, times, &mut seat, &ask)
                }
                None => tenants.step(tenant, now, times, &ask),
            };
            match step {
                Step::Serve(receiver) => return Ok(receiver),
                Step::Refuse(error) => return Err(error),
                Step::Pause(rest) => self.runtime.sleep(rest).await,
                Step::Wait(mut waiter) => {
                    let landed = within(pin!(self.limit()), pin!(waiter.landed())).await;
                    let sought = landed.unwrap_or(Err(LookUpError::TimedOut));
                    // A look-up that began before the delivery arrived may have missed the rotation: the next
                    // step decides.
                    if wrong.is_none() || sought.is_err() {
                        return sought;
                    }
                }
            }
        }
        Err(LookUpError::TimedOut)
    }

    /// The secrets that the source has for the tenant of exactly this name, in time.
    async fn ask(&self) -> Result<Secrets, LookUpError> {
        let source = &self.registry.shared.source;
        let call = async { source.look_up(self.listed.described.name(), &self.tenant).await };
        match unwound(pin!(within(pin!(self.limit()), pin!(call)))).await {
            Some(Some(said)) => match said? {
                Some(TenantSecrets { tenant, secrets }) if *tenant == *self.tenant => Ok(secrets),
                Some(_) => Err(LookUpError::OtherSpelling),
                None => Err(LookUpError::UnknownTenant),
            },
            Some(None) => Err(LookUpError::TimedOut),
            None => Err(LookUpError::Failed { reason: "the secret source panicked".into() }),
        }
    }

    /// Makes of an answer what is known from now on.
    fn settle(&self, said: Result<Secrets, LookUpError>, began: Began) -> Sought {
        let (tenants, tenant, times) = (&self.listed.tenants, &*self.tenant, self.times());
        let made = said.and_then(|secrets| match tenants.confirm(tenant, &secrets, began) {
            Some(receiver) => Ok(receiver),
            None => {
                let receiver = self.make(secrets.clone())?;
                tenants.keep(tenant, receiver.clone(), secrets, began);
                Ok(receiver)
            }
        });
        match made {
            Ok(receiver) => Ok(receiver),
            Err(error @ (LookUpError::Failed { .. } | LookUpError::TimedOut)) => {
                let sought = tenants.fail(tenant, error.clone(), began, times);
                if sought.is_ok() {
                    tracing::warn!(
                        provider = self.listed.described.name(),
                        endpoint = tenant,
                        reason = %error,
                        "the secrets were not looked up again: those that are known serve on"
                    );
                }
                sought
            }
            Err(error) => tenants.refuse(tenant, error, began, times),
        }
    }

    fn make(&self, secrets: Secrets) -> Sought {
        let made = self.listed.make(&self.tenant, secrets, &self.registry.shared.common);
        made.map_err(|error| LookUpError::NotSetUp { error })
    }

    fn limit(&self) -> impl Future<Output = ()> + Send {
        self.runtime.sleep(self.registry.shared.look_up_timeout)
    }

    fn elapsed(&self) -> Option<Duration> {
        let clock = self.registry.shared.common.clock.as_ref();
        clock.map(|clock| clock.elapsed()).or_else(|| self.runtime.elapsed())
    }

    fn times(&self) -> Times {
        self.registry.shared.times
    }
}

impl<R: Runtime> Again<Custom> for Search<R> {
    fn again<'a>(&'a self, wrong: &'a Receiver<Custom>) -> BoxFuture<'a, Sought> {
        Box::pin(self.seek(Some(wrong)))
    }
}
