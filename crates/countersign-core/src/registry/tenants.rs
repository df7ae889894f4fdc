//! `Tenants`: the receivers of one provider's tenants, and what is being looked up for them.

use std::{
    collections::HashMap,
    future::poll_fn,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{LookUpError, flight::Flight};
use crate::{dedupe::BoxFuture, provider::Custom, receiver::Receiver, secret::Secrets};

/// How many names are remembered that the secret source refused: they come from requests, so their number is bounded.
const MAX_REFUSED: usize = 1024;

/// How many deliveries of one tenant wait at most for a look-up because their signature is wrong. Each holds
/// its body, and most of them are forgeries when there are many.
pub(super) const MAX_WAITING: usize = 64;

/// A tenant's receiver, or why there is none.
pub(super) type Sought = Result<Receiver<Custom>, LookUpError>;

/// Makes a look-up that begins then.
type Ask<'a> = &'a dyn Fn(Began) -> BoxFuture<'static, Sought>;

/// Held by a delivery that waits because its signature is wrong; they are counted by its references.
pub(super) type Seat = Arc<()>;

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

/// When a look-up began: by the clock, and in the order of requests and look-ups, which no clock is fine
/// enough to tell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Began {
    pub(super) at: Duration,
    pub(super) number: u64,
}

/// What is to be done for a request.
pub(super) enum Step<'t> {
    /// This is the receiver.
    Serve(Receiver<Custom>),
    /// There is none.
    Refuse(LookUpError),
    /// No look-up is allowed before that.
    Pause(Duration),
    /// A look-up is under way.
    Wait(Waiter<'t>),
}

/// The names come from requests. One that the source has not said yes to is here while it is looked up, or among the bounded number
/// of those that were refused.
#[derive(Default)]
pub(super) struct Tenants {
    slots: Mutex<Slots>,
    /// Of the requests, the look-ups and those who waited for one so far.
    count: AtomicU64,
}

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
    /// How many wait for the flight.
    waiting: usize,
    /// When the last look-up began, whatever became of it.
    tried: Option<Duration>,
    /// Whether the last look-up that ended was given up, since all who waited for it had gone.
    is_given_up: bool,
    seats: Seat,
}

/// What the secret source said last.
struct Known {
    receiver: Receiver<Custom>,
    secrets: Secrets,
    /// When the look-up began that said so.
    since: Began,
    /// When a look-up began that failed since.
    failed: Option<(Began, LookUpError)>,
}

impl Known {
    /// The number of the last look-up that has come to an end, with whatever result.
    fn answered(&self) -> u64 {
        self.failed.as_ref().map_or(self.since.number, |(began, _)| began.number)
    }
}

impl Tenants {
    /// The next place in the order of requests and look-ups.
    pub(super) fn number(&self) -> u64 {
        self.count.fetch_add(1, Ordering::SeqCst)
    }

    /// What is to be done for a request of this tenant.
    pub(super) fn step<'t>(&'t self, tenant: &'t str, now: Duration, times: Times, ask: Ask<'_>) -> Step<'t> {
        let mut slots = self.lock();
        if let Some((until, error)) = slots.refused.get(tenant) {
            if now < *until && !times.refresh.is_zero() {
                return Step::Refuse(error.clone());
            }
            slots.refused.remove(tenant);
        }
        if times.refresh.is_zero() {
            // Each request looks up by itself, and shares with nobody.
            let flight = Arc::new(Flight::new(ask(self.begin(now))));
            return Step::Wait(self.waiter(tenant, flight));
        }
        if let Some(slot) = slots.slots.get(tenant)
            && let Some(known) = &slot.known
        {
            let age = now.saturating_sub(known.since.at);
            let rest = slot.rest(now, times);
            // A look-up that nobody waited for is no attempt: whoever holds a revoked secret could begin look-ups, hang up, and be
            // served by what is known for as long as that is kept. So then all wait until one has ended.
            let is_tried = !slot.is_given_up && (slot.flight.is_some() || !rest.is_zero());
            if age < times.refresh || age < times.keep && is_tried {
                return Step::Serve(known.receiver.clone());
            }
            if slot.is_given_up && slot.flight.is_none() && !rest.is_zero() {
                return Step::Pause(rest);
            }
        }
        Step::Wait(self.join(slots.slot(tenant), tenant, now, ask))
    }

    /// The next step for a request that arrived then, where this receiver found its signature to be
    /// wrong.
    pub(super) fn step_after<'t>(
        &'t self,
        (wrong, arrived): (&Receiver<Custom>, u64),
        tenant: &'t str,
        now: Duration,
        times: Times,
        seat: &mut Option<Seat>,
        ask: Ask<'_>,
    ) -> Step<'t> {
        let mut slots = self.lock();
        let Some(slot) = slots.slots.get_mut(tenant) else {
            // Removed in the meantime.
            drop(slots);
            return self.step(tenant, now, times, ask);
        };
        if let Some(known) = &slot.known {
            // What was looked up since the request arrived is as good as what it would find.
            if !known.receiver.is(wrong) || known.answered() > arrived {
                return Step::Serve(known.receiver.clone());
            }
        }
        let rest = slot.rest(now, times);
        if slot.flight.is_none() && rest.is_zero() {
            return Step::Wait(self.join(slot, tenant, now, ask));
        }
        if seat.is_none() {
            if Arc::strong_count(&slot.seats) > MAX_WAITING {
                return Step::Refuse(LookUpError::Busy);
            }
            *seat = Some(Arc::clone(&slot.seats));
        }
        match slot.flight.is_none() {
            true => Step::Pause(rest),
            false => Step::Wait(self.join(slot, tenant, now, ask)),
        }
    }

    /// The secret source knows no such tenant, or what it holds for it is of no use: what was known is dropped at once.
    pub(super) fn refuse(&self, tenant: &str, error: LookUpError, began: Began, times: Times) -> Sought {
        let mut slots = self.lock();
        let known = slots.slots.get(tenant).and_then(|slot| slot.known.as_ref());
        if known.is_none_or(|known| known.since.number <= began.number) {
            slots.refuse(tenant, &error, began, times);
        }
        Err(error)
    }

    /// The secret source failed: what it said last serves on, for a while.
    pub(super) fn fail(&self, tenant: &str, error: LookUpError, began: Began, times: Times) -> Sought {
        let mut slots = self.lock();
        let known = slots.slots.get_mut(tenant).and_then(|slot| slot.known.as_mut());
        match known.filter(|known| began.at.saturating_sub(known.since.at) < times.keep) {
            Some(known) => {
                if known.answered() < began.number {
                    known.failed = Some((began, error));
                }
                Ok(known.receiver.clone())
            }
            None => {
                slots.refuse(tenant, &error, began, times);
                Err(error)
            }
        }
    }

    /// The receiver that is known, where it is made of these secrets: it is as good as new.
    pub(super) fn confirm(&self, tenant: &str, secrets: &Secrets, began: Began) -> Option<Receiver<Custom>> {
        let mut slots = self.lock();
        let known = slots.slots.get_mut(tenant)?.known.as_mut()?;
        if !known.secrets.are(secrets) {
            return None;
        }
        if known.since.number <= began.number {
            (known.since, known.failed) = (began, None);
        }
        Some(known.receiver.clone())
    }

    /// Keeps a receiver of new secrets, unless a look-up that began later was answered before.
    pub(super) fn keep(&self, tenant: &str, receiver: Receiver<Custom>, secrets: Secrets, began: Began) {
        let mut slots = self.lock();
        let slot = slots.slot(tenant);
        if slot.known.as_ref().is_none_or(|known| known.since.number <= began.number) {
            slot.known = Some(Known { receiver, secrets, since: began, failed: None });
        }
    }

    /// Why it cannot be said that what is known is up to date; `None` where it is. What it finds to be wrong may be genuine.
    pub(super) fn doubt(&self, tenant: &str) -> Option<LookUpError> {
        let slots = self.lock();
        let (_, error) = slots.slots.get(tenant)?.known.as_ref()?.failed.as_ref()?;
        Some(error.clone())
    }

    /// Waits for the look-up that is under way, or begins one.
    fn join<'t>(&'t self, slot: &mut Slot, tenant: &'t str, now: Duration, ask: Ask<'_>) -> Waiter<'t> {
        let flight = slot.flight.get_or_insert_with(|| {
            slot.tried = Some(now);
            Arc::new(Flight::new(ask(self.begin(now))))
        });
        slot.waiting = slot.waiting.saturating_add(1);
        self.waiter(tenant, Arc::clone(flight))
    }

    fn waiter<'t>(&'t self, tenant: &'t str, flight: Arc<Flight>) -> Waiter<'t> {
        Waiter { tenants: self, tenant, flight, number: self.number(), has_landed: false }
    }

    fn begin(&self, at: Duration) -> Began {
        Began { at, number: self.number() }
    }

    /// How many tenants are known, or being looked up; and how many are remembered as refused.
    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        let slots = self.lock();
        (slots.slots.len(), slots.refused.len())
    }

    /// Nothing panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    fn slot(&mut self, tenant: &str) -> &mut Slot {
        self.slots.entry(tenant.into()).or_default()
    }

    /// Drops what is known, and remembers why. A look-up that is under way goes on.
    fn refuse(&mut self, tenant: &str, error: &LookUpError, began: Began, times: Times) {
        if let Some(slot) = self.slots.get_mut(tenant) {
            slot.known = None;
            self.tidy(tenant);
        }
        if self.refused.len() >= MAX_REFUSED {
            self.refused.retain(|_, (until, _)| began.at < *until);
        }
        if self.refused.len() < MAX_REFUSED {
            self.refused.insert(tenant.into(), (began.at.saturating_add(times.floor), error.clone()));
        }
    }

    /// Removes a tenant that has no known secrets and no look-up under way.
    fn tidy(&mut self, tenant: &str) {
        if self.slots.get(tenant).is_some_and(|slot| slot.known.is_none() && slot.flight.is_none()) {
            self.slots.remove(tenant);
        }
    }
}

impl Slot {
    /// How long it is until a look-up is allowed.
    fn rest(&self, now: Duration, times: Times) -> Duration {
        self.tried.map_or(Duration::ZERO, |tried| tried.saturating_add(times.floor).saturating_sub(now))
    }
}

/// One of those who wait for a look-up, and drive it. When the last of them has gone, it is given up.
pub(super) struct Waiter<'t> {
    tenants: &'t Tenants,
    tenant: &'t str,
    flight: Arc<Flight>,
    number: u64,
    has_landed: bool,
}

impl Waiter<'_> {
    /// What the look-up comes to.
    pub(super) async fn landed(&mut self) -> Sought {
        let sought = poll_fn(|cx| self.flight.poll(self.number, cx)).await;
        self.has_landed = true;
        sought
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut slots = self.tenants.lock();
        let slot = slots.slots.get_mut(self.tenant);
        if let Some(slot) =
            slot.filter(|slot| slot.flight.as_ref().is_some_and(|f| Arc::ptr_eq(f, &self.flight)))
        {
            slot.waiting = slot.waiting.saturating_sub(1);
            if self.has_landed || slot.waiting == 0 {
                (slot.flight, slot.waiting, slot.is_given_up) = (None, 0, !self.has_landed);
                slots.tidy(self.tenant);
            }
        }
        drop(slots);
        self.flight.leave(self.number);
    }
}
