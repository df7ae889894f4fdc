//! The `choices!` table: an open set of words.

/// Makes an enum of the words that a provider documents, with a variant for any other.
macro_rules! choices {
    ($(
        $(#[$attr:meta])*
        pub enum $name:ident {
            $( $(#[$word_attr:meta])* $word:literal $(| $alias:literal)* => $variant:ident ),* $(,)?
        }
    )*) => {$(
        $(#[$attr])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $( $(#[$word_attr])* #[doc = concat!("`", $word, "`")] $variant, )*
            /// A word that has no variant here.
            Other(String),
        }

        impl $name {
            /// The word as it is sent. Of several spellings, the first in the provider's documentation.
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $word, )*
                    Self::Other(word) => word,
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = String::deserialize(deserializer)?;
                Ok(match word.as_str() {
                    $( $word $(| $alias)* => Self::$variant, )*
                    _ => Self::Other(word),
                })
            }
        }
    )*};
}
pub(crate) use choices;
