//! What holds for the events of every provider that has a table of them.

use std::{collections::HashSet, mem::discriminant};

use countersign_core::{EventErrorKind, provider};

use super::{delivery, event};

/// The smallest body that a kind can have, and the kind for the header of those that have one.
fn smallest(provider: &str, kind: &str) -> (String, String) {
    let body = match provider {
        "retake" => format!(r#"{{"event":"{kind}","data":{{"intentId":"i","userId":"u","email":"e"}}}}"#),
        "raaft" => format!(r#"{{"outcome":"{kind}"}}"#),
        "recharge" => format!(r#"{{"{}":{{"id":1}}}}"#, kind.split('/').next().unwrap()),
        "retentbase" => "{}".to_owned(),
        "revkeen" => format!(r#"{{"type":"{kind}","data":{{"object":{{"id":"x"}}}}}}"#),
        other => panic!("{other} has no smallest body here: add one"),
    };
    (kind.to_owned(), body)
}

macro_rules! each_provider {
    ($($module:ident => $provider:ident,)*) => {$(
        mod $module {
            use super::*;
            use provider::{$provider as P, $module::Event};

            #[test]
            fn every_kind_has_a_variant_of_its_own() {
                let mut variants = HashSet::new();
                for kind in Event::KINDS {
                    let (header, body) = smallest(stringify!($module), kind);
                    let event = event::<P>(&header, &body).unwrap();
                    assert_eq!(event.kind(), *kind);
                    assert!(!matches!(event, Event::Unknown(_)), "{kind}");
                    assert!(variants.insert(discriminant(&event)), "{kind}");
                }
                assert!(!variants.is_empty());
            }

            #[test]
            fn an_unknown_kind_keeps_its_name_and_its_payload() {
                let (header, body) = smallest(stringify!($module), "news/of.tomorrow");
                let delivery = delivery::<P>(&header, &body);
                assert_eq!(delivery.kind().as_deref(), Some("news/of.tomorrow"));
                match delivery.event().unwrap() {
                    Event::Unknown(unknown) => {
                        assert_eq!(unknown.kind, "news/of.tomorrow");
                        assert!(body.contains(unknown.raw.get()), "{}", unknown.raw.get());
                    }
                    other => panic!("{other:?}"),
                }
            }

            #[test]
            fn a_body_that_is_not_json_is_told() {
                let (header, _) = smallest(stringify!($module), Event::KINDS[0]);
                for body in ["", "{", "hello", "{} {}", "{\"a\":}"] {
                    let error = event::<P>(&header, body).unwrap_err();
                    assert_eq!(error.kind(), EventErrorKind::NotJson, "{body}");
                }
            }

            #[test]
            fn no_kind_is_an_error_or_an_unknown_event() {
                for body in ["{}", "[]", "1", r#"{"event":1,"type":null,"outcome":""}"#] {
                    match (event::<P>("", body), stringify!($module)) {
                        (Ok(Event::Unknown(unknown)), "recharge") => {
                            assert_eq!((unknown.kind.as_str(), unknown.raw.get()), ("", body));
                        }
                        (Err(error), _) => assert_eq!(error.kind(), EventErrorKind::NoKind, "{body}"),
                        (Ok(event), _) => panic!("{event:?}"),
                    }
                }
            }
        }
    )*};
}
each_provider! {
    raaft => Raaft,
    recharge => Recharge,
    retake => Retake,
    retentbase => RetentBase,
    revkeen => RevKeen,
}
