//! Typing a documented payload: beside `serde_json::Value`, and beside a derived struct of the same fields.

mod plain;

use countersign::{
    Clock as _, Delivery, Provider, Secret, Signer, SystemClock, Verifier,
    provider::{
        GitHub, Raaft, Recharge, Retake, RetentBase, RevKeen, Shopify, Slack, StandardWebhooks, Stripe,
    },
};
use countersign_benches::{
    table::Report,
    timing::{Contender, Effort, contender, side_by_side},
};
use octocrab::models::webhook_events::WebhookEvent;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{beside, cell, request::SECRET};

/// A documented payload.
macro_rules! payload {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/payloads/", $name, ".json"))
    };
}

pub fn run(report: &Report, effort: Effort) {
    report.line("");
    report.line("## Events");
    report.line("");
    report.line(
        "Goal: no slower than `Value`. The derived struct has the same fields in the standard library's types: money in floats, times as \
         text, and nothing of the fields that it does not name; it takes no number for a string, and no string for a number.",
    );
    report.head(&["payload", "bytes", "countersign", "`Value`", "derive"]);
    let row = Row { report, effort };
    row.of::<Retake, plain::Retake>("Retake, `intent.tracked`", "", payload!("retake"));
    let subscription = payload!("recharge_subscription");
    row.of::<Recharge, plain::Recharge>(
        "Recharge, `subscription/created`",
        "subscription/created",
        subscription,
    );
    row.of::<Recharge, plain::Recharge>(
        "Recharge, `charge/failed`",
        "charge/failed",
        payload!("recharge_charge"),
    );
    row.of::<Raaft, plain::Raaft>("Raaft, `saved`", "", payload!("raaft"));
    row.of::<RevKeen, plain::RevKeen>("RevKeen, `invoice.paid`", "", payload!("revkeen"));
    let kind = "cancellation.outcome_updated";
    row.of::<RetentBase, plain::RetentBase>(
        "RetentBase, `cancellation.outcome_updated`",
        kind,
        payload!("retentbase"),
    );
    let full = payload!("standard_webhooks");
    row.of::<StandardWebhooks, plain::StandardWebhooks>("Standard Webhooks, `contact.created`", "", full);
    row.of::<Stripe, plain::Stripe>("Stripe, `setup_intent.created`", "", payload!("stripe"));
    row.of::<Shopify, Value>("Shopify, `orders/create`", "orders/create", payload!("shopify"));
    row.of::<Slack, plain::Slack>("Slack, `event_callback`", "", payload!("slack"));
    row.of::<GitHub, plain::GitHub>("GitHub, `issues`, the example", "issues", payload!("github"));
    let issue = payload!("github_issue");
    let octocrab = contender("octocrab", || WebhookEvent::try_from_header_and_body("issues", issue).unwrap());
    row.beside::<GitHub, plain::GitHub>("GitHub, `issues`, in full", "issues", issue, vec![octocrab]);
}

struct Row<'r> {
    report: &'r Report,
    effort: Effort,
}

impl Row<'_> {
    fn of<P: Provider, T: DeserializeOwned>(&self, name: &str, kind: &str, body: &'static str) {
        self.beside::<P, T>(name, kind, body, Vec::new());
    }

    /// One with others beside it, which are told by name.
    fn beside<P: Provider, T: DeserializeOwned>(
        &self,
        name: &str,
        kind: &str,
        body: &'static str,
        others: Vec<Contender<'_>>,
    ) {
        let delivery = delivery::<P>(kind, body);
        let mut contenders = vec![
            contender("countersign", || delivery.event().unwrap()),
            contender("`Value`", || serde_json::from_slice::<Value>(delivery.body()).unwrap()),
            contender("derive", || serde_json::from_slice::<T>(delivery.body()).unwrap()),
        ];
        contenders.extend(others);
        let took = side_by_side(self.effort, &mut contenders);
        let mut cells = vec![name.to_owned(), body.len().to_string(), cell(took[0])];
        cells.extend(took[1..3].iter().map(|peer| beside(*peer, took[0])));
        self.report.row(&cells);
        for (contender, took_it) in contenders.iter().zip(&took).skip(3) {
            let cells = [&format!("the same by {}", contender.name), "", &beside(*took_it, took[0]), "", ""];
            self.report.row(&cells);
        }
    }
}

/// A genuine delivery of this body.
pub fn delivery<P: Provider>(kind: &str, body: &'static str) -> Delivery<P> {
    let secret = Secret::new(SECRET).unwrap();
    let signer = Signer::<P>::new(&secret).id("msg_2KWPBgLlAfxdpx2AI54pPJ85f4W");
    let signer = if kind.is_empty() { signer } else { signer.kind(kind) };
    let now = SystemClock.now();
    let headers = signer.sign(body, now).unwrap();
    Verifier::<P>::new(secret).unwrap().verify(&headers, body, now).unwrap()
}
