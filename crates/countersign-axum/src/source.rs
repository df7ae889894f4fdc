//! `Source`: where a request's receiver comes from.

use std::{fmt, sync::Arc, time::Instant};

use axum::{
    extract::{FromRequestParts, RawPathParams},
    response::Response,
};
use countersign_core::{
    Answer, Found, LookUpError, Provider, Receiver, Registry, dedupe::BoxFuture, provider::Custom,
};
use countersign_runtime::TokioRuntime;
use http::request::Parts;

use crate::respond::respond;

/// The receiver that was set up, or what finds one.
pub(crate) enum Source<P: Provider> {
    Receiver(Receiver<P>),
    Registry(Arc<dyn Find<P>>),
}

/// What finds the receiver of a request, or answers where there is none.
pub(crate) trait Find<P: Provider>: fmt::Debug + Send + Sync {
    fn find<'f>(&'f self, parts: &'f mut Parts) -> BoxFuture<'f, Result<Found<P>, Response>>;
}

impl<P: Provider> Source<P> {
    pub(crate) async fn find(&self, parts: &mut Parts) -> Result<Found<P>, Response> {
        match self {
            Self::Receiver(receiver) => Ok(Found::from(receiver.clone())),
            Self::Registry(registry) => registry.find(parts).await,
        }
    }
}

/// Names a request's provider and its tenant.
pub(crate) type Select = dyn Fn(&Parts) -> Option<(String, String)> + Send + Sync;

/// A registry, and how requests name their provider and tenant.
#[derive(Clone)]
pub(crate) struct Selecting {
    pub(crate) registry: Registry,
    /// By the path's parameters where there is none.
    pub(crate) select: Option<Arc<Select>>,
}

impl Find<Custom> for Selecting {
    fn find<'f>(&'f self, parts: &'f mut Parts) -> BoxFuture<'f, Result<Found<Custom>, Response>> {
        Box::pin(async move {
            let started = Instant::now();
            let mut names = (String::new(), String::new());
            let refused = match self.select(parts, &mut names).await {
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

impl Selecting {
    async fn select(&self, parts: &mut Parts, names: &mut (String, String)) -> Result<(), Answer> {
        let unknown = || Answer::no_receiver(&LookUpError::UnknownProvider);
        if let Some(select) = &self.select {
            *names = select(parts).ok_or_else(unknown)?;
            return Ok(());
        }
        // A name that is not UTF-8 is nobody's, and so is an empty segment: the tenant of the empty name has
        // a route without tenants.
        let parameters = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| unknown())?;
        let named = |name| parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
        let remedy = "the registry's route names no provider: add the parameter {provider} to its path, and {tenant} where \
            there are tenants, and use .route_layer(..); or add .select(..)";
        let provider = named("provider").ok_or_else(|| Answer::not_set_up(&remedy))?;
        match named("tenant") {
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
