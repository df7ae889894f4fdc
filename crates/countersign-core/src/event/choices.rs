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
                struct Word;

                impl serde::de::Visitor<'_> for Word {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("a string")
                    }

                    fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<$name, E> {
                        Ok(match word {
                            $( $word $(| $alias)* => $name::$variant, )*
                            _ => $name::Other(word.to_owned()),
                        })
                    }
                }

                deserializer.deserialize_str(Word)
            }
        }
    )*};
}
pub(crate) use choices;
