//! Fields that Recharge writes in more than one way.

use std::fmt;

use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

use crate::{
    event::{Text, nested},
    json,
};

/// The id that another system has given: an object that says which, or the id alone, taken for the shop's.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ExternalId {
    /// The shop's.
    pub ecommerce: Option<Text>,
    /// The payment processor's.
    pub payment_processor: Option<Text>,
}

impl<'de> Deserialize<'de> for ExternalId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get().as_bytes();
        let id = |name| json::member(text, name).map_or(Ok(None), |id| nested(name, id));
        match text.starts_with(b"{") {
            true => Ok(Self { ecommerce: id("ecommerce")?, payment_processor: id("payment_processor")? }),
            false => Ok(Self { ecommerce: Some(nested("", text)?), payment_processor: None }),
        }
    }
}

/// Tags: a list, or one text with commas between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tags(Vec<String>);

impl Tags {
    /// Each tag.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrList;

        impl<'de> de::Visitor<'de> for TextOrList {
            type Value = Tags;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of tags, or a text with commas between them")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Tags, E> {
                Ok(Tags(
                    text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect(),
                ))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<Tags, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(list)).map(Tags)
            }
        }

        deserializer.deserialize_any(TextOrList)
    }
}
