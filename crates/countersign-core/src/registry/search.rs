//! `Search`: one request's way to its receiver, by what is known or by a look-up that others may share.

use std::{pin::pin, sync::Arc, time::Duration};

use super::{
    Listed, LookUpError, Registry,
    found::Again,
    tenants::{Flight, Sought, Step, Tenants, Times},
};
use crate::{
    dedupe::BoxFuture,
    provider::Custom,
    receiver::{Receiver, Runtime, unwound, within},
    secret::Secrets,
};

/// One request's search for its receiver.
pub(super) struct Search<R> {
    pub(super) registry: Registry,
    pub(super) listed: Arc<Listed>,
    pub(super) tenant: Box<str>,
    pub(super) runtime: R,
}

impl<R: Runtime> Search<R> {
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
        loop {
            let Some(now) = self.elapsed() else {
                // How old a look-up is, nobody can tell: each serves one request.
                return match wrong {
                    Some(receiver) => Ok(receiver.clone()),
                    None => self.make(self.ask().await?.ok_or(LookUpError::UnknownTenant)?),
                };
            };
            let step = match wrong {
                Some(receiver) => tenants.step_after(receiver, tenant, now, times),
                None => tenants.step(tenant, now, times),
            };
            match step {
                Step::Serve(receiver) => return Ok(receiver),
                Step::Refuse(error) => return Err(error),
                Step::LookUp(flight) => return self.look_up(flight, now).await,
                Step::Wait(flight) => match within(pin!(self.limit()), pin!(flight.landed())).await {
                    Some(Some(sought)) => return sought,
                    // Whoever looked has gone: it is for another to look.
                    Some(None) => {}
                    None => return Err(LookUpError::TimedOut),
                },
            }
        }
    }

    /// Looks up, and tells those who wait.
    async fn look_up(&self, flight: Arc<Flight>, now: Duration) -> Sought {
        let mut landing =
            Landing { tenants: &self.listed.tenants, tenant: &self.tenant, flight, sought: None };
        let sought = self.settle(self.ask().await, now);
        landing.sought = Some(sought.clone());
        sought
    }

    /// What the secret source says, in time.
    async fn ask(&self) -> Result<Option<Secrets>, LookUpError> {
        let source = &self.registry.shared.source;
        let call = async { source.look_up(self.listed.described.name(), &self.tenant).await };
        match unwound(pin!(within(pin!(self.limit()), pin!(call)))).await {
            Some(Some(said)) => said.map_err(LookUpError::from),
            Some(None) => Err(LookUpError::TimedOut),
            None => Err(LookUpError::Failed { reason: "the secret source panicked".into() }),
        }
    }

    /// Makes of an answer what is known from now on.
    fn settle(&self, said: Result<Option<Secrets>, LookUpError>, now: Duration) -> Sought {
        let (tenants, tenant, times) = (&self.listed.tenants, &*self.tenant, self.times());
        let made = said.and_then(|secrets| {
            let secrets = secrets.ok_or(LookUpError::UnknownTenant)?;
            match tenants.confirm(tenant, &secrets, now) {
                Some(receiver) => Ok(receiver),
                None => {
                    let receiver = self.make(secrets.clone())?;
                    tenants.keep(tenant, receiver.clone(), secrets, now);
                    Ok(receiver)
                }
            }
        });
        match made {
            Ok(receiver) => Ok(receiver),
            Err(error @ (LookUpError::Failed { .. } | LookUpError::TimedOut)) => {
                let sought = tenants.fail(tenant, error.clone(), now, times);
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
            Err(error) => tenants.refuse(tenant, error, now, times),
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

/// Ends a look-up, also one whose request has gone half-way.
struct Landing<'l> {
    tenants: &'l Tenants,
    tenant: &'l str,
    flight: Arc<Flight>,
    sought: Option<Sought>,
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        self.tenants.land(self.tenant, &self.flight, self.sought.take());
    }
}
