//! `Attack`: captured deliveries, played again under every change of what is not signed.

use std::{
    cell::RefCell,
    pin::pin,
    slice::from_ref,
    task::{Context, Poll, Waker},
};

use countersign::{
    Description, MemoryStore, Provider, Receiver, ReceiverBuilder, Signer, Timestamp, Verifier,
    provider::{Custom, Source},
};
use proptest::sample::Index;

use crate::{
    book::{self, Keys},
    descriptions::{self, Case, URL},
};

type Pairs = Vec<(String, String)>;
/// What a handler saw: the body, and the kind.
type Run = (String, String);

/// What nobody without the secret can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// No handler runs twice for one signed content within the retention.
    OnlyOnce,
    /// A delivery that is yet to come is handled when it comes.
    NotOccupied,
    /// A delivery whose copy came before it is handled under the kind that it was sent with.
    UnderItsOwnKind,
}

/// A genuine delivery.
#[derive(Clone, Debug)]
struct Sent {
    headers: Pairs,
    body: String,
    kind: String,
}

/// Three genuine deliveries of a provider: one that was handled, one that was captured before it came, and one that is yet to come.
pub struct Attack {
    receive: Box<dyn Fn() -> Endpoint>,
    handled: Sent,
    captured: Sent,
    coming: Sent,
}

/// Delivers a request to a fresh receiver, and tells what its handler has seen so far.
type Endpoint = Box<dyn FnMut(&Pairs, &str) -> Vec<Run>>;

/// Within the tolerance of every provider: that of Paddle is 5 s.
const LATER: i64 = 3;
const NOW: Timestamp = Timestamp::from_unix_seconds(1_705_314_600);

impl Attack {
    /// An attack on a built-in provider; `None` where a captured request shows the secret, so that nothing is left to attack, or
    /// where no kind can be configured.
    #[must_use]
    pub fn on<P: Provider>(kind_is_configured: bool) -> Option<Self> {
        let kind_is_unsigned = matches!(P::FIELDS.kind, Some(Source::Header(_)));
        if kind_is_configured && !kind_is_unsigned {
            return None;
        }
        let keys = Keys::of_provider::<P>("a word");
        let signer = Signer::<P>::new(&keys.signing).public_url(URL);
        let verifier = Verifier::<P>::builder(&keys.verifying).public_url(URL).build().unwrap();
        let kinds = kinds(P::NAME);
        let send = |at: usize, name: &str| {
            let kind = kinds[if kind_is_configured { 0 } else { at }];
            send(&signer, &verifier, name, kind, body(P::NAME, name, kind), NOW).unwrap()
        };
        let (handled, captured, coming) = (send(0, "a"), send(1, "b"), send(2, "c"));
        let configured = kind_is_configured.then_some(kinds[0]);
        let receive = move || {
            let builder = Receiver::<P>::builder(&keys.verifying).public_url(URL);
            let builder = match configured {
                Some(kind) => builder.kind(kind),
                None => builder,
            };
            endpoint(builder, NOW)
        };
        Self { receive: Box::new(receive), handled, captured, coming }.without_secrets(P::DESCRIPTION)
    }

    /// An attack on a provider that is described; `None` as above, and where these deliveries would be refused.
    #[must_use]
    pub fn on_described(case: &Case) -> Option<Self> {
        let Case { description, word, id, kind, now, .. } = case.clone();
        let keys = Keys::of(&description, &word)?;
        let url = descriptions::url(&description);
        let signer = Signer::<Custom>::custom(description.clone(), &keys.signing).unwrap().public_url(&*url);
        let verifier = Verifier::<Custom>::custom_builder(description.clone(), &keys.verifying);
        let verifier = verifier.public_url(url.clone()).build().unwrap();
        let send = |name: &str| {
            let (id, kind) = (format!("{id}{name}"), format!("{kind}{name}"));
            let body = String::from_utf8(descriptions::body(&description, now, &id, &kind, name)).unwrap();
            send(&signer, &verifier, name, &kind, body, now)
        };
        let (handled, captured, coming) = (send("a")?, send("b")?, send("c")?);
        let described = description.clone();
        let receive = move || {
            let builder = Receiver::<Custom>::custom(described.clone(), &keys.verifying);
            endpoint(builder.public_url(url.clone()), now)
        };
        Self { receive: Box::new(receive), handled, captured, coming }.without_secrets(&description)
    }

    /// Captured requests show no secret: whoever has one needs no attack.
    fn without_secrets(mut self, description: &Description) -> Option<Self> {
        let schemes = book::schemes(description);
        let (shown, signing): (Vec<_>, Vec<_>) = schemes.iter().partition(|scheme| scheme.shows_secret());
        for sent in [&mut self.handled, &mut self.captured, &mut self.coming] {
            let is_of =
                |schemes: &[&book::Scheme], name: &str| schemes.iter().any(|scheme| scheme.header == name);
            sent.headers.retain(|(name, _)| is_of(&signing, name) || !is_of(&shown, name));
        }
        (!signing.is_empty()).then_some(self)
    }

    /// Every promise that was broken, and by which request: each copy is tried alone, and all one after the other.
    #[must_use]
    pub fn run(&self) -> Vec<(Promise, String)> {
        self.run_some(&self.copies(&self.handled), &self.copies(&self.captured))
    }

    /// The same, by these of all copies, and by those in which one header is missing, or is the one of the delivery that is yet to
    /// come.
    #[must_use]
    pub fn run_picked(&self, picked: &[Index]) -> Vec<(Promise, String)> {
        let pick = |sent: &Sent| {
            let copies = self.copies(sent);
            let picked = picked.iter().map(|pick| pick.get(&copies).clone());
            let names = sent.headers.iter();
            let plain = names.flat_map(|(name, _)| self.changed(&sent.headers, name).into_iter().take(2));
            plain.chain(picked).collect::<Vec<_>>()
        };
        self.run_some(&pick(&self.handled), &pick(&self.captured))
    }

    fn run_some(&self, of_handled: &[Pairs], of_captured: &[Pairs]) -> Vec<(Promise, String)> {
        let mut broken = Vec::new();
        for (first, second) in of_handled.iter().zip(of_captured) {
            self.play(from_ref(first), from_ref(second), &mut broken);
        }
        self.play(of_handled, of_captured, &mut broken);
        broken
    }

    /// Delivers the first, then the copies of it and of the second, then the third, and at last the second itself.
    fn play(&self, of_handled: &[Pairs], of_captured: &[Pairs], broken: &mut Vec<(Promise, String)>) {
        let Self { handled, captured, coming, .. } = self;
        let mut deliver = (self.receive)();
        let runs = deliver(&handled.headers, &handled.body);
        assert_eq!(runs, [(handled.body.clone(), handled.kind.clone())], "the first delivery is handled");
        of_handled.iter().for_each(|headers| _ = deliver(headers, &handled.body));
        of_captured.iter().for_each(|headers| _ = deliver(headers, &captured.body));
        deliver(&coming.headers, &coming.body);
        let runs = deliver(&captured.headers, &captured.body);
        let mut promise = |promise, is_kept: bool| {
            if !is_kept {
                broken
                    .push((promise, format!("by {of_handled:?} and {of_captured:?}, which led to {runs:?}")));
            }
        };
        let times = |sent: &Sent| runs.iter().filter(|(body, _)| *body == sent.body).count();
        let is_handled = |sent: &Sent| runs.contains(&(sent.body.clone(), sent.kind.clone()));
        promise(Promise::OnlyOnce, times(handled) <= 1 && times(captured) <= 1);
        promise(Promise::NotOccupied, is_handled(coming));
        promise(Promise::UnderItsOwnKind, is_handled(captured));
    }

    /// This delivery under every change of one header and of two, in one order for all.
    fn copies(&self, sent: &Sent) -> Vec<Pairs> {
        let mut copies = vec![sent.headers.clone()];
        let names: Vec<_> = sent.headers.iter().map(|(name, _)| name.clone()).collect();
        for (at, name) in names.iter().enumerate() {
            for one in self.changed(&sent.headers, name) {
                for other in names.iter().skip(at + 1) {
                    copies.extend(self.changed(&one, other));
                }
                copies.push(one);
            }
        }
        copies
    }

    /// These headers with one of them removed, emptied, changed, repeated, or exchanged for another delivery's.
    fn changed(&self, headers: &Pairs, name: &str) -> Vec<Pairs> {
        let value =
            |pairs: &Pairs| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let Some(own) = value(headers) else { return Vec::new() };
        let with = |values: &[String]| {
            let others = headers.iter().filter(|(known, _)| known != name).cloned();
            others.chain(values.iter().map(|value| (name.to_owned(), value.clone()))).collect::<Pairs>()
        };
        let from = |sent: &Sent| value(&sent.headers).unwrap_or_default();
        vec![
            with(&[]),
            with(&[from(&self.coming)]),
            with(&[String::new()]),
            with(&[format!("{own}x")]),
            with(&[own.to_ascii_uppercase()]),
            with(&[own.clone(), own.clone()]),
            with(&[from(&self.handled)]),
        ]
    }
}

/// How often a handler runs for a delivery and one more attempt at it, which its provider signs anew.
#[must_use]
pub fn runs_of_a_retry<P: Provider>() -> usize {
    let keys = Keys::of_provider::<P>("a word");
    let signer = Signer::<P>::new(&keys.signing).public_url(URL).event_id("event").kind(kinds(P::NAME)[0]);
    let body = body(P::NAME, "a", kinds(P::NAME)[0]);
    let mut deliver = endpoint(Receiver::<P>::builder(&keys.verifying).public_url(URL), NOW);
    let mut runs = 0;
    for attempt in 1..=2 {
        // RetentBase has an id for each attempt, and the others one for all.
        let id = id(P::NAME, &if P::NAME == "retentbase" { attempt.to_string() } else { "1".to_owned() });
        let now = if attempt == 1 { NOW } else { Timestamp::from_unix_seconds(NOW.unix_seconds() + LATER) };
        // What counts attempts in the body, and what says when one was sent.
        let body = match attempt {
            1 => body.clone(),
            _ => body
                .replace(r#""attemptNumber":0"#, r#""attemptNumber":1"#)
                .replace(r#""delivery_attempts":1"#, r#""delivery_attempts":2"#)
                .replace(r#""webhookTimestamp":1705314600000"#, r#""webhookTimestamp":1705314603000"#),
        };
        let headers = signer.clone().id(id).attempt(attempt).sign(&body, now).unwrap();
        let headers = headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        runs = deliver(&headers, &body).len();
    }
    runs
}

/// A delivery of this name, as its provider sends it; `None` where it would be refused.
fn send<P: Provider>(
    signer: &Signer<P>,
    verifier: &Verifier<P>,
    name: &str,
    kind: &str,
    body: String,
    now: Timestamp,
) -> Option<Sent> {
    let signer = signer.clone().id(id(P::NAME, name)).event_id(format!("event_{name}"));
    let headers = signer.kind(kind).attempt(1).sign(&body, now).ok()?;
    let delivery = verifier.verify(&headers, &body, now).ok()?;
    let kind = delivery.kind().unwrap_or_default().into_owned();
    let headers = headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Some(Sent { headers, body, kind })
}

fn endpoint<P: Provider>(builder: ReceiverBuilder<P>, now: Timestamp) -> Endpoint {
    let receiver = builder.store(MemoryStore::new(100_000)).build().unwrap();
    let runs = RefCell::new(Vec::new());
    Box::new(move |headers, body| {
        let handler = async |webhook: countersign::Webhook<P>| {
            let delivery = webhook.delivery;
            let kind = delivery.kind().unwrap_or_default().into_owned();
            runs.borrow_mut().push((String::from_utf8(delivery.body().to_vec()).unwrap(), kind));
            Ok::<(), std::io::Error>(())
        };
        let answer = receiver.handle(headers, body, now, |_| std::future::pending(), handler);
        // A store in memory answers at once.
        let Poll::Ready(_) = pin!(answer).poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("nothing is waited for")
        };
        runs.borrow().clone()
    })
}

/// The id of a delivery of this name. Klaviyo's is that of the webhook, and stands in the signed body as well.
fn id(provider: &str, name: &str) -> String {
    if provider == "klaviyo" { "webhook".to_owned() } else { format!("id_{name}") }
}

/// The kinds of the three deliveries.
fn kinds(provider: &str) -> [&'static str; 3] {
    match provider {
        "github" => ["issues", "pull_request", "release"],
        "recharge" => ["order/created", "order/updated", "order/processed"],
        "retentbase" => ["cancellation.created", "cancellation.outcome_updated", "cancellation.created"],
        _ => ["orders/create", "orders/updated", "orders/paid"],
    }
}

/// A body of its own for each name, as this provider sends it.
fn body(provider: &str, name: &str, kind: &str) -> String {
    match provider {
        "linear" => format!(
            r#"{{"action":"update","type":"Issue","createdAt":"2024-01-15T10:30:00.000Z","webhookId":"w","data":{{"id":"{name}"}},"webhookTimestamp":1705314600000}}"#
        ),
        "hubspot" | "hubspot_v1" => format!(
            r#"[{{"eventId":1,"subscriptionId":2,"portalId":3,"occurredAt":4,"objectId":"{name}","subscriptionType":"deal.creation","attemptNumber":0}}]"#
        ),
        "klaviyo" => format!(
            r#"{{"meta":{{"klaviyo_webhook_id":"webhook","timestamp":"2024-01-15T10:30:00Z"}},"data":[{{"external_id":"{name}"}}]}}"#
        ),
        "intercom" => format!(r#"{{"id":"notif_{name}","topic":"x","delivery_attempts":1}}"#),
        "recharge" => format!(r#"{{"order":{{"id":1,"note":"{name}"}}}}"#),
        "github" => format!(r#"{{"action":"x","{}":{{"id":"{name}"}}}}"#, kind.trim_end_matches('s')),
        _ => format!(
            r#"{{"id":"evt_{name}","event_id":"evt_{name}","event":"x","type":"x","outcome":"x","data":{{"object":{{}}}}}}"#
        ),
    }
}
