//! The `model!` table: a struct a payload, lenient about what is missing, exact about what is there.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IntoDeserializer as _, Visitor};

/// Makes a payload's struct and its `Deserialize`, from a line a field.
///
/// A field whose type is an `Option` or a `Vec` may be missing or null. Any other is required. Fields without a line
/// are kept in `extra`, as they stand in the text.
///
/// ```text
/// model! {
///     /// An item of a cart.
///     pub struct Item {
///         /// The shop's own id.
///         id: String,
///         /// When it was put in.
///         added_at as "addedAt" | "added": Option<DateTime>,
///     }
/// }
/// ```
macro_rules! model {
    ($(
        $(#[$attr:meta])*
        pub struct $name:ident $(<$data:ident $(= $default:ty)?>)? {
            $( $(#[$field_attr:meta])* $field:ident $(as $wire:literal $(| $alias:literal)*)? : $type:ty ),* $(,)?
        }
    )*) => {$(
        $(#[$attr])*
        ///
        /// Its `Debug` prints payload data; no log line, error or answer of this crate holds it.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub struct $name $(<$data $(= $default)?>)? {
            $( $(#[$field_attr])* pub $field: $type, )*
            /// Fields that have no name here.
            pub extra: $crate::event::Extra,
        }

        impl<'de $(, $data: serde::Deserialize<'de>)?> serde::Deserialize<'de> for $name $(<$data>)? {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields<T>(std::marker::PhantomData<T>);

                impl<'de $(, $data: serde::Deserialize<'de>)?> serde::de::Visitor<'de> for Fields<$name $(<$data>)?> {
                    type Value = $name $(<$data>)?;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        $( let mut $field: Option<$type> = None; )*
                        let mut extra = $crate::event::Extra::default();
                        while let Some($crate::event::model::Name(name)) = map.next_key()? {
                            match &*name {
                                $( $crate::event::model::model!(@names $field $($wire $(| $alias)*)?) => {
                                    // Of a repeated field the first counts, as it does for ids and kinds.
                                    match $field {
                                        None => $field = map.next_value()?,
                                        Some(_) => { map.next_value::<serde::de::IgnoredAny>()?; }
                                    }
                                } )*
                                _ => extra.insert(&name, map.next_value()?),
                            }
                        }
                        Ok($name {
                            $( $field: match $field {
                                Some(value) => value,
                                None => $crate::event::absent(
                                    $crate::event::model::model!(@name $field $($wire)?)
                                )?,
                            }, )*
                            extra,
                        })
                    }
                }

                const NAMES: &[&str] =
                    &[$( $crate::event::model::model!(@name $field $($wire)?) $($(, $alias)*)? ),*];
                deserializer.deserialize_struct(stringify!($name), NAMES, Fields(std::marker::PhantomData))
            }
        }
    )*};
    (@names $field:ident) => { stringify!($field) };
    (@names $field:ident $wire:literal $(| $alias:literal)*) => { $wire $(| $alias)* };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $wire:literal) => { $wire };
}
pub(crate) use model;

/// The value of a field that is missing or null: nothing for an `Option`, no elements for a `Vec`, else an error.
pub(crate) fn absent<'de, T: Deserialize<'de>, E: Error>(name: &'static str) -> Result<T, E> {
    T::deserialize(Absent { name, error: std::marker::PhantomData })
}

struct Absent<E> {
    name: &'static str,
    error: std::marker::PhantomData<E>,
}

impl<'de, E: Error> Deserializer<'de> for Absent<E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, E> {
        Err(E::missing_field(self.name))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_none()
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_seq(serde::de::value::SeqDeserializer::<_, E>::new(
            std::iter::empty::<()>()
                .map(|()| ().into_deserializer() as serde::de::value::UnitDeserializer<E>),
        ))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// A field's name, borrowed where the text allows it.
pub(crate) struct Name<'n>(pub(crate) std::borrow::Cow<'n, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsText;

        impl<'de> Visitor<'de> for AsText {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field name")
            }

            fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(name.into()))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(name.to_owned().into()))
            }
        }

        deserializer.deserialize_identifier(AsText)
    }
}

#[cfg(test)]
#[expect(unreachable_pub, reason = "the table makes public types")]
mod tests {
    use crate::event::{Decimal, Json, parse};

    model! {
        /// A payload.
        pub struct Sample<T> {
            /// Required.
            id: u64,
            /// Optional.
            price as "unitPrice" | "unit_price": Option<Decimal>,
            /// A list.
            tags: Vec<String>,
            /// Nested.
            data: Option<T>,
        }
    }

    fn sample(json: &str) -> Result<Sample<Vec<u8>>, String> {
        parse("k", "", json.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn missing_and_null_are_one() {
        for json in [r#"{"id":1}"#, r#"{"id":1,"unitPrice":null,"tags":null,"data":null}"#] {
            let sample = sample(json).unwrap();
            assert_eq!((sample.id, sample.price, sample.tags.len(), sample.data), (1, None, 0, None));
        }
        for json in ["{}", r#"{"id":null}"#] {
            assert!(sample(json).unwrap_err().ends_with("missing field `id`"), "{json}");
        }
    }

    #[test]
    fn every_spelling_is_read_and_the_rest_is_kept() {
        for json in [r#"{"id":1,"unitPrice":1.10,"x":0.10}"#, r#"{"\u0069d":1,"unit_price":"1.10","x":0.10}"#]
        {
            let sample = sample(json).unwrap();
            assert_eq!(sample.price.unwrap().to_string(), "1.10");
            assert_eq!(sample.extra.get("x").map(Json::get), Some("0.10"));
        }
    }

    #[test]
    fn of_a_repeated_field_the_first_counts() {
        assert_eq!(sample(r#"{"id":1,"id":"two","unitPrice":1,"unit_price":2}"#).unwrap().id, 1);
    }

    #[test]
    fn the_path_of_a_misfit_is_told() {
        let error = sample(r#"{"id":1,"data":[1,"two"]}"#).unwrap_err();
        assert_eq!(error, "the payload of a k event does not fit its type at data[1]: expected u8");
        let error = sample("[]").unwrap_err();
        assert_eq!(error, "the payload of a k event does not fit its type at .: expected an object");
    }
}
