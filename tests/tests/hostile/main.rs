//! Hostile requests, byte by byte, over HTTP/1.1 and HTTP/2: both adapters treat alike what reaches them.
//!
//! hyper and actix-http reject some requests by themselves, or read them differently. The rows list that as well: such a row has no
//! outcome of ours (`-`), or one expectation for each server with the reason. A new version that behaves differently fails here.

mod chunks;
mod content;
mod early;
mod encodings;
mod frames;
mod handshakes;
mod headers;
mod http1;
mod http2;
mod lane;
mod lengths;
mod log;
mod names;
mod probe;
mod site;
mod slow;
mod streams;
mod wire;

use std::{
    panic,
    sync::{Arc, Mutex},
    time::Duration,
};

use countersign_tests::{client::Request, server::Framework};
use tokio::{sync::Semaphore, task::JoinSet, time::sleep};

use crate::{
    lane::{BODY, Lane, signature},
    log::{LOG, Line, Log},
    probe::{Expect, Probe, Seen},
    site::Site,
};

/// Probes that run at once under one server. More could make a quick one time out on a busy machine.
const AT_ONCE: usize = 4;

/// actix-web's dependencies that panic in one row each: at a name of 64 KB, and at more than 24,576 names over HTTP/2. Each of these panics
/// ends its own connection and nothing else.
const LISTED_PANICS: [&str; 2] = ["/actix-http-", "/http-0.2"];

/// The files in which something panicked.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[tokio::test(flavor = "multi_thread")]
async fn both_adapters_make_the_same_of_every_hostile_request() {
    Log::listen();
    let default = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        PANICS.lock().unwrap().extend(info.location().map(|location| location.file().to_owned()));
        default(info);
    }));
    let groups = [
        ("lengths", lengths::probes()),
        ("encodings", encodings::probes()),
        ("chunks", chunks::probes()),
        ("headers", headers::probes()),
        ("names and methods", names::probes()),
        ("handshakes", handshakes::probes()),
        ("content and pipelines", content::probes()),
        ("early refusals", early::probes()),
        ("frames", frames::probes()),
        ("streams", streams::probes()),
    ];
    // The slow ones wait, and the others run meanwhile.
    let waiting = tokio::spawn(check(Group { number: 0, name: "slow requests", probes: slow::probes() }));
    let mut wrong = Vec::new();
    for (number, (name, probes)) in (1..).zip(groups) {
        wrong.extend(check(Group { number, name, probes }).await);
    }
    wrong.extend(waiting.await.unwrap());
    wrong.extend(panics_unlisted());
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Probes of one subject.
struct Group {
    number: usize,
    name: &'static str,
    probes: Vec<Probe>,
}

/// Runs a group under both servers. Returns what differs from its rows.
async fn check(group: Group) -> Vec<String> {
    let group = Arc::new(group);
    let (axum, actix) =
        tokio::join!(run(Framework::Axum, Arc::clone(&group)), run(Framework::Actix, Arc::clone(&group)));
    let mut wrong = Vec::new();
    for (index, Probe { name, expect, .. }) in group.probes.iter().enumerate() {
        for Run { site, seen, .. } in [&axum, &actix] {
            let lane = &site.lanes[index];
            let (found, broken) = match &seen[index] {
                Ok(seen) => (seen.in_words(lane), seen.broken_promises(lane)),
                Err(error) => (String::new(), vec![error.clone()]),
            };
            let expected = expect.of(site.framework);
            let is_other = !expect.is(site.framework, &found);
            let problems = is_other.then(|| format!("{found}, and not {expected}")).into_iter().chain(broken);
            let line = |problem| format!("{}: {:?}: {name}: {problem}", group.name, site.framework);
            wrong.extend(problems.map(line));
        }
        let reasons = [&axum, &actix].map(|run| reasons(&run.site.lanes[index]));
        if matches!(expect, Expect::Both(seen) if !seen.contains('*')) && reasons[0] != reasons[1] {
            wrong.push(format!("{}: {name}: {reasons:?}", group.name));
        }
        list(name, *expect);
    }
    let stopped = [&axum, &actix].into_iter().filter(|run| !run.serves_on);
    wrong.extend(stopped.map(|run| format!("{}: {:?} does not serve on", group.name, run.site.framework)));
    wrong
}

/// The files that panicked, without those that the rows list.
fn panics_unlisted() -> Vec<String> {
    let mut panics = PANICS.lock().unwrap().clone();
    for listed in LISTED_PANICS {
        let place = panics.iter().position(|file| file.contains(listed));
        place.map(|place| panics.swap_remove(place));
    }
    panics.into_iter().map(|file| format!("a panic in {file}")).collect()
}

/// What one server made of a group.
struct Run {
    site: Site,
    seen: Vec<Result<Seen, String>>,
    /// Whether it answered a plain delivery at the end.
    serves_on: bool,
}

/// Runs all probes against one server, each on a connection and a lane of its own. A plain delivery follows.
async fn run(framework: Framework, group: Arc<Group>) -> Run {
    let lane = |(index, probe): (usize, &Probe)| {
        let seconds = if probe.is_slow { 1 } else { 20 };
        let key = format!("{framework:?}-{:02}-{index:03}", group.number).to_lowercase();
        Lane::new(key, Duration::from_secs(seconds))
    };
    let mut lanes: Vec<_> = group.probes.iter().enumerate().map(lane).collect();
    let health = format!("{framework:?}-{:02}-health", group.number).to_lowercase();
    lanes.push(Lane::new(health.clone(), Duration::from_secs(20)));
    let site = Site::serve(framework, lanes).await;
    let (turns, mut runs) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    for index in 0..group.probes.len() {
        let (group, turns, address) = (Arc::clone(&group), Arc::clone(&turns), site.address);
        let lane = Arc::clone(&site.lanes[index]);
        runs.spawn(async move {
            let probe = &group.probes[index];
            let _turn = if probe.is_slow { None } else { Some(turns.acquire().await.unwrap()) };
            (index, probe.run(&lane, address).await)
        });
    }
    let mut seen = runs.join_all().await;
    seen.sort_by_key(|(index, _)| *index);
    let plain = [("x-webhook-signature".to_owned(), signature(BODY))];
    let plain = Request::post(&format!("/{health}/hmac"), &plain, BODY.as_bytes());
    let serves_on = plain.send(site.address).await.status == 200;
    // A request that was cut off has no answer to wait for.
    sleep(Duration::from_millis(100)).await;
    Run { site, seen: seen.into_iter().map(|(_, seen)| seen).collect(), serves_on }
}

/// The reasons in our log, without their digits: an age in seconds may differ.
fn reasons(lane: &Lane) -> Vec<String> {
    let in_words = |line: Line| line.reason.replace(|c: char| c.is_ascii_digit(), "");
    LOG.of(&lane.key).into_iter().map(in_words).filter(|reason| !reason.is_empty()).collect()
}

/// Prints a row that hyper or actix-http decides.
fn list(name: &str, expect: Expect) {
    match expect {
        Expect::Both(seen) if seen.contains("| - |") => println!("hyper and actix: {name}: {seen}"),
        Expect::Both(_) => {}
        Expect::Each { hyper, actix, why } => println!("hyper: {name}: {hyper}; actix: {actix}: {why}"),
    }
}
