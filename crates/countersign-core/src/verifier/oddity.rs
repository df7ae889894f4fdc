//! What makes a secret look like a mistake: it is said when a verifier is built, by its name and without the secret.

use std::fmt;

use crate::{
    error::ConfigError,
    provider::Description,
    scheme::{Algorithm, KeyEncoding, Scheme},
    secret::Secret,
};

/// Prefixes that stand in a header, in another provider's secrets, or before another kind of key, and never in a secret that is
/// used as text.
const FOREIGN: [&str; 5] = ["whsec_", "sha256=", "sha1=", "Bearer ", "Basic "];
/// What Stripe's API keys begin with. Its endpoints' secrets begin with `whsec_`, which is part of the key.
const API_KEYS_OF_STRIPE: [&str; 2] = ["sk_", "rk_"];

/// Why a secret looks like a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Oddity {
    /// White space at an end.
    Blank(char, &'static str),
    /// Quotes around it.
    Quotes,
    /// A prefix that does not belong there.
    Prefix(&'static str),
}

impl Oddity {
    /// What is odd about a secret of this provider, where something is.
    ///
    /// # Errors
    /// [`ConfigError::PaddedToken`] where no request could show this token.
    pub(super) fn of(secret: &Secret, description: &Description) -> Result<Option<Self>, ConfigError> {
        let schemes = description.schemes();
        let using = || schemes.iter().filter(|scheme| scheme.uses(secret, schemes));
        // What is decoded is read strictly: it has been refused.
        let is_text = |scheme: &Scheme| scheme.key == KeyEncoding::Utf8;
        let Ok(text) = std::str::from_utf8(secret.expose_secret()) else { return Ok(None) };
        if !using().any(is_text) {
            return Ok(None);
        }
        let blank = Self::blank(text);
        let is_shown = using().any(|scheme| scheme.algorithm == Algorithm::Token);
        match blank {
            Some(Self::Blank(c, end)) if is_shown && (c.is_ascii_whitespace() || c == '\u{b}') => {
                Err(ConfigError::PaddedToken { provider: description.name().to_owned(), blank: name(c), end })
            }
            Some(blank) => Ok(Some(blank)),
            None if is_quoted(text) => Ok(Some(Self::Quotes)),
            None => Ok(prefix(text, description.name()).map(Self::Prefix)),
        }
    }

    fn blank(text: &str) -> Option<Self> {
        let is_blank = |c: &char| c.is_whitespace() || matches!(c, '\0' | '\u{feff}' | '\u{200b}');
        let last = text.chars().next_back().filter(is_blank).map(|c| Self::Blank(c, "end"));
        last.or_else(|| text.chars().next().filter(is_blank).map(|c| Self::Blank(c, "start")))
    }
}

fn is_quoted(text: &str) -> bool {
    ['"', '\'', '`'].iter().any(|quote| {
        let rest = text.strip_prefix(*quote);
        rest.is_some_and(|rest| rest.ends_with(*quote))
    })
}

fn prefix(text: &str, provider: &str) -> Option<&'static str> {
    let is_stripe = provider == "stripe";
    let foreign = FOREIGN.iter().filter(|prefix| !is_stripe || **prefix != "whsec_");
    let api_keys = API_KEYS_OF_STRIPE.iter().filter(|_| is_stripe);
    foreign.chain(api_keys).find(|prefix| text.starts_with(**prefix)).copied()
}

/// A character that cannot be seen, in words.
fn name(c: char) -> &'static str {
    match c {
        ' ' => "a space",
        '\n' => "a line feed",
        '\r' => "a carriage return",
        '\t' => "a tab",
        '\0' => "a NUL",
        '\u{a0}' => "a no-break space",
        '\u{feff}' => "a byte order mark",
        _ => "white space",
    }
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank(c, end) => write!(f, "{} at the {end}", name(*c)),
            Self::Quotes => f.write_str("quotes around it"),
            Self::Prefix(prefix) => write!(f, "the prefix {prefix:?}, which does not belong there"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{
        Chargebee, GitHub, GitLab, Paystack, Provider, Raaft, Recharge, RevKeen, StandardWebhooks, Stripe,
    };

    fn oddity<P: Provider>(secret: &str) -> String {
        match Oddity::of(&Secret::new(secret).unwrap(), P::DESCRIPTION) {
            Ok(oddity) => oddity.map(|oddity| oddity.to_string()).unwrap_or_default(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_a_copied_secret_brings_with_it_is_named() {
        for (secret, expected) in [
            ("secret", ""),
            ("se cret", ""),
            ("secret\n", "a line feed at the end"),
            ("secret\r\n", "a line feed at the end"),
            ("secret\r", "a carriage return at the end"),
            ("secret ", "a space at the end"),
            ("\tsecret", "a tab at the start"),
            ("\u{feff}secret", "a byte order mark at the start"),
            ("secret\u{a0}", "a no-break space at the end"),
            ("secret\0", "a NUL at the end"),
            ("\"secret\"", "quotes around it"),
            ("'secret'", "quotes around it"),
            ("`secret`", "quotes around it"),
            ("'secret", ""),
            ("\"", ""),
            ("sha256=ab", "the prefix \"sha256=\", which does not belong there"),
            ("Bearer ab", "the prefix \"Bearer \", which does not belong there"),
            ("whsec_ab", "the prefix \"whsec_\", which does not belong there"),
            ("sk_live_ab", ""),
        ] {
            assert_eq!(oddity::<GitHub>(secret), expected, "{secret:?}");
            // Two schemes, one secret.
            assert_eq!(oddity::<Recharge>(secret), expected, "{secret:?}");
        }
        assert_eq!(oddity::<Chargebee>("user:password\n"), "a line feed at the end");
        assert_eq!(
            oddity::<Chargebee>("Basic dXNlcg=="),
            "the prefix \"Basic \", which does not belong there"
        );
    }

    #[test]
    fn a_prefix_that_belongs_there_is_not_odd() {
        assert_eq!(oddity::<Stripe>("whsec_ab"), "");
        assert_eq!(oddity::<Stripe>("sk_test_ab"), "the prefix \"sk_\", which does not belong there");
        assert_eq!(oddity::<Stripe>("rk_live_ab"), "the prefix \"rk_\", which does not belong there");
        assert_eq!(oddity::<RevKeen>("rk_wh_ab"), "");
        assert_eq!(oddity::<Paystack>("sk_live_ab"), "");
        assert_eq!(oddity::<GitLab>("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "");
        assert_eq!(oddity::<StandardWebhooks>("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "");
    }

    #[test]
    fn a_token_that_no_request_could_show_is_refused() {
        for (token, found) in [
            ("pa55\n", "a line feed at the end"),
            (" pa55", "a space at the start"),
            ("pa55\u{b}", "white space"),
        ] {
            for told in [oddity::<Raaft>(token), oddity::<GitLab>(token)] {
                assert!(told.contains(found) && told.contains("remove it"), "{told}");
                assert!(!told.contains("pa55"), "{told}");
            }
        }
        assert_eq!(oddity::<Raaft>("pa55\u{a0}"), "a no-break space at the end");
        assert_eq!(oddity::<Raaft>("pa 55"), "");
    }
}
