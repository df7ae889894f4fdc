//! `Decimal`: money, exact.

use std::{cmp::Ordering, fmt, hash, str::FromStr};

use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;
use thiserror::Error;

/// An exact decimal number of up to 38 digits, read from a JSON number or string without a trip through binary floating
/// point.
///
/// Keeps the decimals it was written with; compares by value. Shown with all of them, whatever precision a format asks for.
///
/// ```
/// use countersign_core::event::Decimal;
///
/// let price: Decimal = serde_json::from_str("149.990")?;
/// assert_eq!(price.to_string(), "149.990");
/// assert_eq!(price, "149.99".parse()?);
/// assert_eq!(price.minor_units(2), Some(14_999));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Decimal {
    mantissa: i128,
    scale: u32,
}

/// Not a decimal number, or one of more than 38 digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a decimal number of at most 38 digits")]
pub struct ParseDecimalError(());

/// 10^38 is the largest power of ten below 2^127.
const MAX_DIGITS: u32 = 38;

impl Decimal {
    /// `mantissa` times ten to the power of `-scale`. `None` when the mantissa has more than 38 digits, or `scale` is above 38.
    pub const fn new(mantissa: i128, scale: u32) -> Option<Self> {
        match scale <= MAX_DIGITS && mantissa.unsigned_abs() < 10_u128.pow(MAX_DIGITS) {
            true => Some(Self { mantissa, scale }),
            false => None,
        }
    }

    /// All digits, without the point: 14999 of 149.99.
    pub const fn mantissa(self) -> i128 {
        self.mantissa
    }

    /// How many digits stand behind the point: 2 of 149.99.
    pub const fn scale(self) -> u32 {
        self.scale
    }

    /// The amount in a currency's minor unit, which has this many decimals (ISO 4217: 2 for USD, 0 for JPY).
    ///
    /// `None` when that is not a whole number, or overflows.
    pub fn minor_units(self, decimals: u32) -> Option<i128> {
        match decimals.checked_sub(self.scale) {
            Some(missing) => self.mantissa.checked_mul(10_i128.checked_pow(missing)?),
            None => {
                let divisor = 10_i128.checked_pow(self.scale.checked_sub(decimals)?)?;
                let whole = self.mantissa.checked_rem(divisor)? == 0;
                whole.then(|| self.mantissa.checked_div(divisor)).flatten()
            }
        }
    }

    /// The same value without zeros at its end.
    fn normalized(mut self) -> Self {
        while self.scale > 0 && self.mantissa % 10 == 0 {
            self = Self { mantissa: self.mantissa / 10, scale: self.scale.saturating_sub(1) };
        }
        self
    }
}

impl FromStr for Decimal {
    type Err = ParseDecimalError;

    /// Reads the grammar of JSON numbers, exponents included; zeros may lead.
    fn from_str(text: &str) -> Result<Self, ParseDecimalError> {
        parse(text).ok_or(ParseDecimalError(()))
    }
}

fn parse(text: &str) -> Option<Decimal> {
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, number) = number.strip_prefix('-').map_or((false, number), |number| (true, number));
    let (whole, fraction) = number.split_once('.').map_or((number, None), |(w, f)| (w, Some(f)));
    if whole.is_empty() || fraction.is_some_and(str::is_empty) {
        return None;
    }
    let fraction = fraction.unwrap_or_default();
    // Zeros at the end are kept as they were written, while there is room for them.
    let number = |fraction| of_digits(negative, whole, fraction, exponent);
    number(fraction).or_else(|| number(fraction.trim_end_matches('0')))
}

fn of_digits(negative: bool, whole: &str, fraction: &str, exponent: i32) -> Option<Decimal> {
    let mut mantissa = match whole.len().saturating_add(fraction.len()) {
        // What most amounts are fits in a register, and cannot overflow it.
        ..19 => add_digits(0_u64, whole, fraction, |number, digit| {
            Some(number.wrapping_mul(10).wrapping_add(digit.into()))
        })?
        .into(),
        _ => add_digits(0_i128, whole, fraction, |number, digit| {
            number.checked_mul(10)?.checked_add(digit.into())
        })?,
    };
    if negative {
        mantissa = mantissa.checked_neg()?;
    }
    let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    match u32::try_from(scale) {
        Ok(scale) if mantissa == 0 => Decimal::new(0, scale.min(MAX_DIGITS)),
        Ok(scale) => Decimal::new(mantissa, scale),
        Err(_) if mantissa == 0 => Decimal::new(0, 0),
        Err(_) => Decimal::new(mantissa.checked_mul(10_i128.checked_pow(scale.unsigned_abs())?)?, 0),
    }
}

/// Digit by digit, if they are digits.
fn add_digits<N>(zero: N, whole: &str, fraction: &str, mut add: impl FnMut(N, u8) -> Option<N>) -> Option<N> {
    whole
        .bytes()
        .chain(fraction.bytes())
        .try_fold(zero, |number, digit| add(number, digit.checked_sub(b'0').filter(|digit| *digit < 10)?))
}

impl From<i64> for Decimal {
    fn from(integer: i64) -> Self {
        Self { mantissa: integer.into(), scale: 0 }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.mantissa.unsigned_abs().to_string();
        let scale = usize::try_from(self.scale).unwrap_or_default();
        let padded = format!("{digits:0>width$}", width = scale.saturating_add(1));
        let (whole, fraction) = padded.split_at(padded.len().saturating_sub(scale));
        let number = if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") };
        f.pad_integral(self.mantissa >= 0, "", &number)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let (ours, theirs) = (self.normalized(), other.normalized());
        let scaled =
            |d: Self, to: u32| 10_i128.checked_pow(to.saturating_sub(d.scale))?.checked_mul(d.mantissa);
        let scale = ours.scale.max(theirs.scale);
        match (scaled(ours, scale), scaled(theirs, scale)) {
            (Some(ours), Some(theirs)) => ours.cmp(&theirs),
            // One overflows when brought to the other's scale: it is the larger in size, and its sign decides.
            (None, _) => ours.mantissa.cmp(&0),
            (_, None) => 0.cmp(&theirs.mantissa),
        }
    }
}

impl hash::Hash for Decimal {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        let Self { mantissa, scale } = self.normalized();
        (mantissa, scale).hash(state);
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        text.parse().map_err(|_| {
            let expected = "a decimal number of at most 38 digits";
            de::Error::invalid_value(de::Unexpected::Other("another value"), &expected)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &str) -> Result<String, String> {
        serde_json::from_str::<Decimal>(json).map(|d| d.to_string()).map_err(|e| e.to_string())
    }

    #[test]
    fn money_is_exact() {
        for (json, shown) in [
            ("0.1", "0.1"),
            ("149.99", "149.99"),
            ("12345678901234567.89", "12345678901234567.89"),
            ("\"12345678901234567.89\"", "12345678901234567.89"),
            ("\"10.00\"", "10.00"),
            ("-0.05", "-0.05"),
            ("0", "0"),
            ("-0", "0"),
            ("1e2", "100"),
            ("1.5E-3", "0.0015"),
            ("0e400", "0"),
            ("0e-40", "0.00000000000000000000000000000000000000"),
            ("1.0000000000000000000000000000000000000000", "1"),
            ("99999999999999999999999999999999999999", "99999999999999999999999999999999999999"),
        ] {
            assert_eq!(read(json).as_deref(), Ok(shown), "{json}");
        }
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        for json in [
            "\"\"",
            "\"abc\"",
            "\"1,000\"",
            "\" 1\"",
            "\"1.\"",
            "\".5\"",
            "\"--1\"",
            "\"+1\"",
            "\"1e\"",
            "true",
            "[1]",
            "{}",
            "\"1\\u0030\"",
            "1e40",
            "1e999999999999",
            "0.000000000000000000000000000000000000001",
            "999999999999999999999999999999999999999",
            "100000000000000000000000000000000000000",
            "\"\u{663}\"",
        ] {
            assert!(read(json).is_err(), "{json}: {:?}", read(json));
        }
    }

    #[test]
    fn minor_units_are_whole() {
        let minor = |text: &str, decimals| text.parse::<Decimal>().unwrap().minor_units(decimals);
        assert_eq!(minor("149.99", 2), Some(14_999));
        assert_eq!(minor("149.9", 2), Some(14_990));
        assert_eq!(minor("-1.000", 0), Some(-1));
        assert_eq!(minor("149.999", 2), None);
        assert_eq!(minor("99999999999999999999999999999999999999", 2), None);
    }

    proptest! {
        #[test]
        fn order_and_text_agree_with_integers(a in any::<i64>(), b in any::<i64>(), scale in 0_u32..19) {
            let decimal = |mantissa: i64| Decimal::new(mantissa.into(), scale).unwrap();
            prop_assert_eq!(decimal(a).cmp(&decimal(b)), a.cmp(&b));
            prop_assert_eq!(decimal(a).to_string().parse::<Decimal>().unwrap(), decimal(a));
            prop_assert_eq!(decimal(a).to_string().parse::<Decimal>().unwrap().scale(), scale);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,12}|-?[0-9]{0,45}\\.?[0-9]{0,45}[eE]?[+-]?[0-9]{0,12}") {
            let _ = text.parse::<Decimal>().map(|d| (d.to_string(), d.minor_units(2), d == Decimal::from(1)));
        }
    }
}
