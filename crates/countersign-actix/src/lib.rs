//! [countersign](https://docs.rs/countersign) for actix-web 4.
//!
//! Three ways in, from least to most:
//!
//! - [`Verified`] is an extractor: the delivery is genuine, nothing more.
//! - [`WebhookMiddleware`] goes around any resource or scope with `.wrap(..)`: verified, claimed before the handler runs,
//!   committed when it answers 2xx and released when it does not. Inside it, [`Webhook`] extracts the delivery with its
//!   typed event.
//! - [`post`] is both in one: a `POST` route with the middleware around it.
//!
//! [`RegistryMiddleware`] and [`post_any`] are the same for many providers and tenants at one route, with secrets that are looked up.
//!
//! The body is hashed as it arrives, under the receiver's limit and time-out, and the handler can still extract it. What the
//! sender is told is the class of the problem and no more; the [`Answer`](countersign_core::Answer) in the response's
//! extensions, and the `tracing` event, have the reason.
//!
//! A handler inside the middleware is detached from the connection: it runs to its end even when the sender hangs up, so that
//! a slow one is not cancelled on every try.

mod headers;
mod intake;
mod middleware;
mod registry;
mod respond;
mod route;
mod service;
mod source;
mod task;
mod verified;
mod webhook;

// The public interface is:
pub use self::{
    headers::ActixHeaders,
    middleware::WebhookMiddleware,
    registry::{RegistryMiddleware, post_any},
    respond::Rejection,
    route::post,
    service::WebhookService,
    verified::Verified,
    webhook::Webhook,
};
