//! Dropbox: whose files have changed.
//!
//! Signature: `X-Dropbox-Signature: <hex>`, HMAC-SHA256 over the raw body, keyed by the app's secret
//! (<https://www.dropbox.com/developers/reference/webhooks>). There is no timestamp, no id and no kind.
//!
//! **Deliveries have no dedupe key.** A body names the accounts that have changed and nothing else: the next change of the same
//! account has the same body, byte for byte. A key of the body would take it for a duplicate, and a change would be missed. So
//! every delivery is handled, a repeated one as well, which is harmless: a handler asks Dropbox what is new since its cursor,
//! and the second time nothing is.
//!
//! Anything but a 200 within ten seconds is tried again over about ten minutes. Before that, Dropbox proves the endpoint by a `GET`
//! whose `challenge` is sent back, to whoever asks: nothing signs it, and it tells nothing.

use crate::{
    dedupe::KeyRule,
    provider::{Fields, Handshake, QueryHandshake, Retries, provider},
    scheme::Scheme,
};

provider! {
    /// The provider Dropbox. See [the module](self).
    pub Dropbox {
        const NAME: &'static str = "dropbox";
        const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("x-dropbox-signature")];
        const FIELDS: Fields = Fields::NONE;
        const KEYS: &'static [KeyRule] = &[];
        const RETRIES: Retries = Retries::ON_ANY_FAILURE;
        const HANDSHAKES: &'static [Handshake] = &[Handshake::Query(QueryHandshake::echo("challenge"))];
    }
}
