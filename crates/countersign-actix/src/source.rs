//! `Source`: where a request's receiver comes from.

use std::{fmt, pin::Pin, sync::Arc, time::Instant};

use actix_web::{FromRequest as _, HttpResponse, dev::ServiceRequest, web::Path};
use countersign_core::{Answer, Found, LookUpError, Provider, Receiver, Registry, provider::Custom};
use countersign_runtime::TokioRuntime;
use serde::Deserialize;

use crate::respond::respond;

/// The receiver that was set up, or what finds one.
pub(crate) enum Source<P: Provider> {
    Receiver(Receiver<P>),
    Registry(Arc<dyn Find<P>>),
}

/// What finds the receiver of a request, or answers where there is none.
pub(crate) trait Find<P: Provider>: fmt::Debug {
    fn find<'f>(
        &'f self,
        request: &'f ServiceRequest,
    ) -> Pin<Box<dyn Future<Output = Result<Found<P>, HttpResponse>> + 'f>>;
}

impl<P: Provider> Source<P> {
    pub(crate) async fn find(&self, request: &ServiceRequest) -> Result<Found<P>, HttpResponse> {
        match self {
            Self::Receiver(receiver) => Ok(Found::from(receiver.clone())),
            Self::Registry(registry) => registry.find(request).await,
        }
    }
}

/// Names a request's provider and its tenant.
pub(crate) type Select = dyn Fn(&ServiceRequest) -> Option<(String, String)> + Send + Sync;

/// A registry, and how requests name their provider and tenant.
#[derive(Clone)]
pub(crate) struct Selecting {
    pub(crate) registry: Registry,
    /// By the path's parameters where there is none.
    pub(crate) select: Option<Arc<Select>>,
}

impl Find<Custom> for Selecting {
    fn find<'f>(
        &'f self,
        request: &'f ServiceRequest,
    ) -> Pin<Box<dyn Future<Output = Result<Found<Custom>, HttpResponse>> + 'f>> {
        Box::pin(async move {
            let started = Instant::now();
            let mut names = (String::new(), String::new());
            let refused = match self.select(request, &mut names).await {
                Ok(()) => match self.registry.find(&names.0, &names.1, TokioRuntime).await {
                    Ok(found) => return Ok(found),
                    Err(error) => Answer::no_receiver(&error),
                },
                Err(answer) => answer,
            };
            self.registry.log(&refused, (&names.0, &names.1), Some(started.elapsed()));
            Err(respond(refused))
        })
    }
}

/// The path's parameters.
#[derive(Deserialize)]
struct Named {
    provider: Option<String>,
    tenant: Option<String>,
}

impl Selecting {
    async fn select(&self, request: &ServiceRequest, names: &mut (String, String)) -> Result<(), Answer> {
        let unknown = || Answer::no_receiver(&LookUpError::UnknownProvider);
        if let Some(select) = &self.select {
            *names = select(request).ok_or_else(unknown)?;
            return Ok(());
        }
        let named = Path::<Named>::extract(request.request()).await;
        let Named { provider, tenant } = named.map_err(|_| unknown())?.into_inner();
        let remedy = "the registry's route names no provider: add the parameter {provider} to its path, and {tenant} where \
            there are tenants, and wrap the route and not the app; or add .select(..)";
        let provider = provider.ok_or_else(|| Answer::not_set_up(&remedy))?;
        match tenant {
            // An empty segment: the tenant of the empty name has a route without tenants.
            Some(tenant) if tenant.is_empty() => return Err(unknown()),
            tenant => *names = (provider, tenant.unwrap_or_default()),
        }
        Ok(())
    }
}

impl fmt::Debug for Selecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.registry.fmt(f)
    }
}

impl<P: Provider> Clone for Source<P> {
    fn clone(&self) -> Self {
        match self {
            Self::Receiver(receiver) => Self::Receiver(receiver.clone()),
            Self::Registry(registry) => Self::Registry(Arc::clone(registry)),
        }
    }
}

impl<P: Provider> fmt::Debug for Source<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Receiver(receiver) => receiver.fmt(f),
            Self::Registry(registry) => registry.fmt(f),
        }
    }
}
