//! `Misfit`: where a payload does not fit its type, and what was expected there; never what stands there.

use std::{
    cell::{Cell, RefCell},
    fmt,
};

use serde::{
    Deserialize,
    de::{
        self, DeserializeSeed, Deserializer, EnumAccess, Expected, MapAccess, SeqAccess, Unexpected,
        VariantAccess, Visitor,
    },
};

/// Where a payload does not fit its type, and why.
///
/// Holds nothing of the payload. Of the keys on the way there, only those are named that the type names as
/// fields or variants; all others are data, as in a map by email addresses, and stand as `*`. The reason says
/// what was expected. The message of serde's own error would quote what was found instead, and so may a
/// message of a type of yours.
#[derive(Debug)]
pub(super) struct Misfit {
    /// As in `data.items[0].price`; empty for the whole.
    pub(super) path: String,
    pub(super) reason: String,
}

impl Misfit {
    /// Where JSON does not fit this type; `None` where it does.
    ///
    /// Does what the crate `serde_path_to_error` does, which can tell neither a field's name from another key
    /// nor a value from what was expected in its place.
    pub(super) fn find<'j, T: Deserialize<'j>>(json: &'j [u8]) -> Option<Self> {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        T::deserialize(Traced::new(&mut deserializer, &Carrier::default())).err()
    }

    /// As an error of a deserializer that may be another one, for a type that reads a part of its payload by
    /// itself.
    pub(super) fn into_error<E: de::Error>(self) -> E {
        NESTED.set(Some(self));
        let error = E::custom("the payload does not fit");
        NESTED.take();
        error
    }

    fn expected(expected: &dyn Expected) -> Self {
        Self::new(format!("expected {expected}"))
    }

    fn new(reason: impl Into<String>) -> Self {
        Self { path: String::new(), reason: reason.into() }
    }

    /// The same, seen from one level further up.
    fn within(mut self, step: &str) -> Self {
        let separator = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{step}{separator}{}", self.path);
        self
    }
}

thread_local! {
    /// Passes a misfit from [`Misfit::into_error`] to [`Misfit::custom`], which it calls where the errors are
    /// misfits. A text could not be told from a message that quotes the payload.
    static NESTED: Cell<Option<Misfit>> = const { Cell::new(None) };
}

/// Of an error only what is known at compile time is told, and of a message of a type's own nothing.
impl de::Error for Misfit {
    fn custom<T: fmt::Display>(_: T) -> Self {
        NESTED.take().unwrap_or_else(|| Self::new("invalid value"))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::expected(expected)
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::expected(expected)
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::expected(expected)
    }

    fn unknown_variant(_: &str, names: &'static [&'static str]) -> Self {
        Self::new(format!("expected `{}`", names.join("` or `")))
    }

    fn unknown_field(_: &str, names: &'static [&'static str]) -> Self {
        Self::new(format!("unknown field, expected `{}`", names.join("` or `")))
    }

    fn missing_field(name: &'static str) -> Self {
        Self::new(format!("missing field `{name}`"))
    }

    fn duplicate_field(name: &'static str) -> Self {
        Self::new(format!("duplicate field `{name}`"))
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Misfit {}

/// Carries a misfit past the deserializer beneath, whose own error has no room for it.
#[derive(Default)]
struct Carrier(RefCell<Option<Misfit>>);

impl Carrier {
    fn load<E: de::Error>(&self, misfit: Misfit) -> E {
        *self.0.borrow_mut() = Some(misfit);
        E::custom("")
    }

    fn unload<E>(&self) -> impl FnOnce(E) -> Misfit {
        |_| self.0.borrow_mut().take().unwrap_or_else(|| Misfit::new("invalid value"))
    }
}

/// A part of serde's conversation between a type and the deserializer beneath, which is passed on as it is.
struct Traced<'t, X> {
    inner: X,
    carrier: &'t Carrier,
    /// The fields or variants that the type names, within a struct or an enum.
    names: &'static [&'static str],
    /// The place for the key's name, when this value is a key.
    key: Option<&'t Cell<Step>>,
    /// The step from here into what comes next: the last key of a map, or a variant.
    step: Step,
    /// How many elements of a list came before.
    index: usize,
}

/// A key of a path, where the type names it.
type Step = Option<&'static str>;

const DATA: &str = "*";

impl<'t, X> Traced<'t, X> {
    fn new(inner: X, carrier: &'t Carrier) -> Self {
        Self { inner, carrier, names: &[], key: None, step: None, index: 0 }
    }

    /// Another part that belongs to the same value.
    fn with<Y>(&self, inner: Y) -> Traced<'t, Y> {
        Traced { names: self.names, key: self.key, ..Traced::new(inner, self.carrier) }
    }
}

impl<'t, D> Traced<'t, D> {
    fn read<'de, V: Visitor<'de>>(
        self,
        names: &'static [&'static str],
        visitor: V,
        read: impl FnOnce(D, Traced<'t, V>) -> Result<V::Value, D::Error>,
    ) -> Result<V::Value, Misfit>
    where
        D: Deserializer<'de>,
    {
        // Where the deserializer itself finds that the type does not fit, its message quotes the value.
        let expected = Misfit::expected(&visitor);
        let (carrier, key) = (self.carrier, self.key);
        let names = if names.is_empty() { self.names } else { names };
        read(self.inner, Traced { names, key, ..Traced::new(visitor, carrier) })
            .map_err(|_| carrier.0.borrow_mut().take().unwrap_or(expected))
    }
}

macro_rules! deserialize {
    ($($method:ident($($argument:ident: $type:ty),*) $($names:ident)?;)*) => {$(
        fn $method<V: Visitor<'de>>(self $(, $argument: $type)*, visitor: V) -> Result<V::Value, Misfit> {
            self.read(deserialize!(@ $($names)?), visitor, |inner, visitor| inner.$method($($argument,)* visitor))
        }
    )*};
    (@) => { &[] };
    (@ $names:ident) => { $names };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Traced<'_, D> {
    type Error = Misfit;

    deserialize! {
        deserialize_any();
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_option();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]) fields;
        deserialize_enum(name: &'static str, variants: &'static [&'static str]) variants;
        deserialize_identifier();
        deserialize_ignored_any();
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! visit {
    ($($method:ident($type:ty);)*) => {$(
        fn $method<E: de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value).map_err(|misfit| self.carrier.load(misfit))
        }
    )*};
    ($($method:ident: $bound:ident;)*) => {$(
        fn $method<A: $bound<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
            let part = self.with(inner);
            self.inner.$method(part).map_err(|misfit| self.carrier.load(misfit))
        }
    )*};
    (key: $($method:ident($type:ty);)*) => {$(
        fn $method<E: de::Error>(self, text: $type) -> Result<V::Value, E> {
            if let Some(key) = self.key {
                key.set(self.names.iter().copied().find(|name| *name == text));
            }
            self.inner.$method(text).map_err(|misfit| self.carrier.load(misfit))
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Traced<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    visit! {
        visit_bool(bool);
        visit_i64(i64);
        visit_i128(i128);
        visit_u64(u64);
        visit_u128(u128);
        visit_f64(f64);
        visit_bytes(&[u8]);
        visit_borrowed_bytes(&'de [u8]);
        visit_byte_buf(Vec<u8>);
    }

    visit! {
        key:
        visit_str(&str);
        visit_borrowed_str(&'de str);
        visit_string(String);
    }

    visit! {
        visit_some: Deserializer;
        visit_newtype_struct: Deserializer;
        visit_seq: SeqAccess;
        visit_map: MapAccess;
        visit_enum: EnumAccess;
    }

    fn visit_none<E: de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none().map_err(|misfit| self.carrier.load(misfit))
    }

    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit().map_err(|misfit| self.carrier.load(misfit))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Traced<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let part = self.with(deserializer);
        self.inner.deserialize(part).map_err(|misfit| self.carrier.load(misfit))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Traced<'_, A> {
    type Error = Misfit;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Misfit> {
        let element = self.inner.next_element_seed(Traced::new(seed, self.carrier));
        let element = element.map_err(self.carrier.unload());
        let index = self.index;
        self.index = index.saturating_add(1);
        element.map_err(|misfit| misfit.within(&format!("[{index}]")))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Traced<'_, A> {
    type Error = Misfit;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Misfit> {
        let step = Cell::new(None);
        let seed = Traced { names: self.names, key: Some(&step), ..Traced::new(seed, self.carrier) };
        let key = self.inner.next_key_seed(seed).map_err(self.carrier.unload());
        self.step = step.get();
        key
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Misfit> {
        let value = self.inner.next_value_seed(Traced::new(seed, self.carrier));
        value.map_err(self.carrier.unload()).map_err(|misfit| misfit.within(self.step.unwrap_or(DATA)))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, 't, A: EnumAccess<'de>> EnumAccess<'de> for Traced<'t, A> {
    type Error = Misfit;
    type Variant = Traced<'t, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), Misfit> {
        let step = Cell::new(None);
        let seed = Traced { names: self.names, key: Some(&step), ..Traced::new(seed, self.carrier) };
        let (value, variant) = self.inner.variant_seed(seed).map_err(self.carrier.unload())?;
        Ok((value, Traced { step: step.get(), ..Traced::new(variant, self.carrier) }))
    }
}

impl<'t, X> Traced<'t, X> {
    /// Passes on the calls for a variant's content.
    fn unload<E>(&self) -> impl FnOnce(E) -> Misfit + use<'t, X, E> {
        let (unload, step) = (self.carrier.unload(), self.step.unwrap_or(DATA));
        move |error| unload(error).within(step)
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Traced<'_, A> {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        let unload = self.unload();
        self.inner.unit_variant().map_err(unload)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Misfit> {
        let (unload, seed) = (self.unload(), Traced::new(seed, self.carrier));
        self.inner.newtype_variant_seed(seed).map_err(unload)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Misfit> {
        let (unload, visitor) = (self.unload(), Traced::new(visitor, self.carrier));
        self.inner.tuple_variant(len, visitor).map_err(unload)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let (unload, visitor) = (self.unload(), Traced { names, ..Traced::new(visitor, self.carrier) });
        self.inner.struct_variant(names, visitor).map_err(unload)
    }
}
