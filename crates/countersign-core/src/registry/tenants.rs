//! `Tenants`: the receivers of one provider's tenants, and what is being looked up for them.

use std::{
    collections::HashMap,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
    time::Duration,
};

use super::LookUpError;
use crate::{provider::Custom, receiver::Receiver, secret::Secrets};

/// How many names are remembered that the secret source refused: they come from requests, so their number is bounded.
const MAX_REFUSED: usize = 1024;

/// A tenant's receiver, or why there is none.
pub(super) type Sought = Result<Receiver<Custom>, LookUpError>;

/// For how long something is good.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// What was looked up serves for so long without being looked up again.
    pub(super) refresh: Duration,
    /// What was looked up so recently is not looked up again, whatever comes.
    pub(super) floor: Duration,
    /// What was looked up serves for so long while the source fails.
    pub(super) keep: Duration,
}

/// What is to be done for a request.
pub(super) enum Step {
    /// This is the receiver.
    Serve(Receiver<Custom>),
    /// There is none.
    Refuse(LookUpError),
    /// Somebody else is looking.
    Wait(Arc<Flight>),
    /// Look, and tell the others.
    LookUp(Arc<Flight>),
}

/// The names come from requests. One that the source has not said yes to is here while it is looked up, or among the bounded number
/// of those that were refused.
#[derive(Default)]
pub(super) struct Tenants(Mutex<Slots>);

#[derive(Default)]
struct Slots {
    slots: HashMap<Arc<str>, Slot>,
    /// Until when these are refused without a look-up.
    refused: HashMap<Arc<str>, (Duration, LookUpError)>,
}

/// One tenant.
#[derive(Default)]
struct Slot {
    known: Option<Known>,
    flight: Option<Arc<Flight>>,
}

/// What the secret source said last.
struct Known {
    receiver: Receiver<Custom>,
    secrets: Secrets,
    /// When the look-up began that said so.
    since: Duration,
    /// When a look-up began that failed since.
    failed: Option<(Duration, LookUpError)>,
}

impl Known {
    /// When it was looked up last, with whatever result.
    fn tried(&self) -> Duration {
        self.failed.as_ref().map_or(self.since, |(tried, _)| *tried)
    }
}

impl Tenants {
    /// What is to be done for a request of this tenant.
    pub(super) fn step(&self, tenant: &str, now: Duration, times: Times) -> Step {
        let mut slots = self.lock();
        if let Some((until, error)) = slots.refused.get(tenant) {
            if now < *until && !times.refresh.is_zero() {
                return Step::Refuse(error.clone());
            }
            slots.refused.remove(tenant);
        }
        if times.refresh.is_zero() {
            return Step::LookUp(Arc::default());
        }
        if let Some(Slot { known: Some(known), flight }) = slots.slots.get(tenant) {
            let (age, rest) = (now.saturating_sub(known.since), now.saturating_sub(known.tried()));
            let failed = known.failed.is_some() && rest < times.floor;
            if age < times.refresh || age < times.keep && (failed || flight.is_some()) {
                return Step::Serve(known.receiver.clone());
            }
        }
        slots.slot(tenant).join()
    }

    /// What is to be done where this receiver found a signature to be wrong.
    pub(super) fn step_after(
        &self,
        wrong: &Receiver<Custom>,
        tenant: &str,
        now: Duration,
        times: Times,
    ) -> Step {
        let mut slots = self.lock();
        // Removed in the meantime, or never kept.
        let Some(slot) = slots.slots.get_mut(tenant) else { return Step::Serve(wrong.clone()) };
        if let Some(known) = &slot.known {
            if !known.receiver.is(wrong) {
                return Step::Serve(known.receiver.clone());
            }
            if slot.flight.is_none() && now.saturating_sub(known.tried()) < times.floor {
                return Step::Serve(known.receiver.clone());
            }
        }
        slot.join()
    }

    /// The secret source knows no such tenant, or what it holds for it is of no use: what was known is dropped at once.
    pub(super) fn refuse(&self, tenant: &str, error: LookUpError, now: Duration, times: Times) -> Sought {
        let mut slots = self.lock();
        let since = slots.slots.get(tenant).and_then(|slot| Some(slot.known.as_ref()?.since));
        if since.is_none_or(|since| since <= now) {
            slots.forget(tenant);
        }
        if slots.refused.len() >= MAX_REFUSED {
            slots.refused.retain(|_, (until, _)| now < *until);
        }
        if slots.refused.len() < MAX_REFUSED {
            slots.refused.insert(tenant.into(), (now.saturating_add(times.floor), error.clone()));
        }
        Err(error)
    }

    /// The secret source failed: what it said last serves on, for a while.
    pub(super) fn fail(&self, tenant: &str, error: LookUpError, now: Duration, times: Times) -> Sought {
        let mut slots = self.lock();
        let known = slots.slots.get_mut(tenant).and_then(|slot| slot.known.as_mut());
        match known.filter(|known| now.saturating_sub(known.since) < times.keep) {
            Some(known) => {
                known.failed = Some((now, error));
                Ok(known.receiver.clone())
            }
            None => {
                slots.forget(tenant);
                Err(error)
            }
        }
    }

    /// The receiver that is known, where it is made of these secrets: it is as good as new.
    pub(super) fn confirm(&self, tenant: &str, secrets: &Secrets, now: Duration) -> Option<Receiver<Custom>> {
        let mut slots = self.lock();
        let known = slots.slots.get_mut(tenant)?.known.as_mut()?;
        if !known.secrets.are(secrets) {
            return None;
        }
        if known.since <= now {
            (known.since, known.failed) = (now, None);
        }
        Some(known.receiver.clone())
    }

    /// Keeps a receiver of new secrets, unless a look-up that began later was answered before.
    pub(super) fn keep(&self, tenant: &str, receiver: Receiver<Custom>, secrets: Secrets, now: Duration) {
        let mut slots = self.lock();
        let slot = slots.slot(tenant);
        if slot.known.as_ref().is_none_or(|known| known.since <= now) {
            slot.known = Some(Known { receiver, secrets, since: now, failed: None });
        }
    }

    /// Why it cannot be said that what is known is up to date; `None` where it is. What it finds to be wrong may be genuine.
    pub(super) fn doubt(&self, tenant: &str) -> Option<LookUpError> {
        let slots = self.lock();
        let (_, error) = slots.slots.get(tenant)?.known.as_ref()?.failed.as_ref()?;
        Some(error.clone())
    }

    /// Ends a look-up: with a result that those who wait share, or with none where it was given up half-way.
    pub(super) fn land(&self, tenant: &str, flight: &Arc<Flight>, result: Option<Sought>) {
        let mut slots = self.lock();
        if let Some(slot) = slots.slots.get_mut(tenant) {
            slot.flight.take_if(|other| Arc::ptr_eq(other, flight));
            if slot.known.is_none() && slot.flight.is_none() {
                slots.slots.remove(tenant);
            }
        }
        drop(slots);
        flight.land(result);
    }

    /// How many tenants are known, or being looked up; and how many are remembered as refused.
    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        let slots = self.lock();
        (slots.slots.len(), slots.refused.len())
    }

    /// Nothing panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    fn slot(&mut self, tenant: &str) -> &mut Slot {
        self.slots.entry(tenant.into()).or_default()
    }

    /// Drops what is known; a look-up that is under way goes on.
    fn forget(&mut self, tenant: &str) {
        if let Some(slot) = self.slots.get_mut(tenant) {
            slot.known = None;
            if slot.flight.is_none() {
                self.slots.remove(tenant);
            }
        }
    }
}

impl Slot {
    /// Waits for the look-up that is under way, or starts one.
    fn join(&mut self) -> Step {
        match &self.flight {
            Some(flight) => Step::Wait(Arc::clone(flight)),
            None => Step::LookUp(Arc::clone(self.flight.insert(Arc::default()))),
        }
    }
}

/// A look-up under way, and those who wait for it.
#[derive(Default)]
pub(super) struct Flight(Mutex<Landing>);

#[derive(Default)]
struct Landing {
    /// `Some(None)` where it was given up half-way.
    landed: Option<Option<Sought>>,
    waiting: Vec<Waker>,
}

impl Flight {
    /// What it came to; `None` where it was given up half-way.
    pub(super) async fn landed(&self) -> Option<Sought> {
        poll_fn(|cx| {
            let mut landing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(landed) = &landing.landed {
                return Poll::Ready(landed.clone());
            }
            if !landing.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                landing.waiting.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await
    }

    fn land(&self, result: Option<Sought>) {
        let mut landing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if landing.landed.is_none() {
            landing.landed = Some(result);
        }
        let waiting = std::mem::take(&mut landing.waiting);
        drop(landing);
        waiting.into_iter().for_each(Waker::wake);
    }
}
