//! From text to filter and back.

use std::fmt;
use std::str::FromStr;

use super::text::fold;
use super::{CRATE, Comparison, Filter, LABEL, NumberKey, Term, Test, TextKey, WordKey};
use crate::limits::{MAX_FILTER_BYTES, MAX_FILTER_TERMS};

/// What was not understood, and where. One line of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// Characters before the place.
    pub at: usize,
    message: String,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.at + 1, self.message)
    }
}

impl std::error::Error for FilterError {}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        if text.len() > MAX_FILTER_BYTES {
            return Err(FilterError {
                at: 0,
                message: format!("a filter has at most {MAX_FILTER_BYTES} bytes"),
            });
        }
        let mut reader = Reader { text, at: 0 };
        let mut terms = Vec::new();
        while reader.skip_blanks() {
            if terms.len() == MAX_FILTER_TERMS {
                return Err(reader.error(format!("a filter has at most {MAX_FILTER_TERMS} terms")));
            }
            terms.push(reader.term()?);
        }
        Ok(Self { terms })
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn error(&self, message: impl Into<String>) -> FilterError {
        FilterError {
            at: self.text[..self.at].chars().count(),
            message: message.into(),
        }
    }

    /// Whether there is more.
    fn skip_blanks(&mut self) -> bool {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
        !self.rest().is_empty()
    }

    fn term(&mut self) -> Result<Term, FilterError> {
        let negated = self.rest().starts_with('!');
        if negated {
            self.at += 1;
            if self.rest().starts_with(|c: char| c.is_whitespace()) || self.rest().is_empty() {
                return Err(self.error("a term must follow `!`; quote it to search for it"));
            }
        }
        let test = match split_key(self.rest()) {
            Some((key, sign)) => self.keyed(key, sign)?,
            None => Test::Anywhere(fold(&self.value()?)),
        };
        Ok(Term { negated, test })
    }

    fn keyed(&mut self, key: &str, sign: Sign) -> Result<Test, FilterError> {
        let (words, text, number) = (WordKey::find(key), TextKey::find(key), NumberKey::find(key));
        let (is_label, is_crate) = (key == LABEL, key == CRATE);
        let is_known = words.is_some() || text.is_some() || number.is_some();
        if !is_known && !is_label && !is_crate {
            let message = format!("no key `{key}`; quote it to search for it as text");
            return Err(self.error(message));
        }
        self.at += key.len() + sign.len();
        let start = self.at;
        let value = self.value()?;
        let fail = |message: String| FilterError {
            at: self.text[..start].chars().count(),
            message,
        };
        match sign {
            Sign::Colon | Sign::Compare(Comparison::Equal) if is_label => {
                let (key, value) = match value.split_once('=') {
                    Some((key, value)) => (key, Some(fold(value))),
                    None => (&*value, None),
                };
                if key.is_empty() {
                    return Err(fail("expected a label, like order=42 or order".to_owned()));
                }
                Ok(Test::Label(fold(key), value))
            }
            Sign::Colon | Sign::Compare(Comparison::Equal) if is_crate => {
                Ok(Test::Crate(fold(&value)))
            }
            Sign::Colon | Sign::Compare(Comparison::Equal) => {
                if let Some(key) = words {
                    let word = key.words().iter().find(|word| **word == value);
                    return word.map(|word| Test::Is(key, word)).ok_or_else(|| {
                        fail(format!(
                            "{} is one of {}",
                            key.as_str(),
                            key.words().join(", ")
                        ))
                    });
                }
                // `thread:7` is the number, `thread:worker` the name.
                match (number, text) {
                    (Some(key), None) => key
                        .unit()
                        .parse(&value)
                        .map(|value| Test::Compare(key, Comparison::Equal, value))
                        .map_err(|expected| fail(format!("expected {expected}"))),
                    (Some(key), Some(_)) if value.parse::<u64>().is_ok() => Ok(Test::Compare(
                        key,
                        Comparison::Equal,
                        value.parse().unwrap_or_default(),
                    )),
                    (_, Some(key)) => Ok(Test::Contains(key, fold(&value))),
                    (None, None) => Err(fail(format!("no key `{key}`"))),
                }
            }
            Sign::Compare(comparison) => {
                let Some(number) = number else {
                    return Err(fail(format!("{key} is no number: write {key}:{value}")));
                };
                number
                    .unit()
                    .parse(&value)
                    .map(|value| Test::Compare(number, comparison, value))
                    .map_err(|expected| fail(format!("expected {expected}")))
            }
        }
    }

    /// The text up to the next blank, or between quotes.
    fn value(&mut self) -> Result<String, FilterError> {
        let rest = self.rest();
        let Some(quoted) = rest.strip_prefix('"') else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            if end == 0 {
                return Err(self.error("a value is missing"));
            }
            self.at += end;
            return Ok(rest[..end].to_owned());
        };
        let mut value = String::new();
        let mut letters = quoted.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    let after = self.at + 1 + at + 1;
                    if self.text[after..].starts_with(|c: char| !c.is_whitespace()) {
                        self.at = after;
                        return Err(self.error("a blank must follow the closing quote"));
                    }
                    if value.is_empty() {
                        return Err(self.error("there is nothing between the quotes"));
                    }
                    self.at = after;
                    return Ok(value);
                }
                '\\' => value.extend(letters.next().map(|(_, escaped)| escaped)),
                _ => value.push(letter),
            }
        }
        Err(self.error("the closing quote is missing"))
    }
}

#[derive(Clone, Copy)]
enum Sign {
    Colon,
    Compare(Comparison),
}

impl Sign {
    const fn len(self) -> usize {
        match self {
            Self::Compare(Comparison::AtLeast | Comparison::AtMost) => 2,
            Self::Colon | Self::Compare(_) => 1,
        }
    }
}

/// The key and the sign of a term that starts with both: lower-case letters up to `:` or a comparison.
///
/// `app::settle`, `main.rs:10` and `Vec<u8>` are text.
fn split_key(term: &str) -> Option<(&str, Sign)> {
    let end = term.find(|c: char| !(c.is_ascii_lowercase() || c == '_'))?;
    let (key, rest) = term.split_at(end);
    let sign = match rest.as_bytes() {
        [b':', b':', ..] => return None,
        [b':', ..] => Sign::Colon,
        [b'>', b'=', ..] => Sign::Compare(Comparison::AtLeast),
        [b'>', ..] => Sign::Compare(Comparison::More),
        [b'<', b'=', ..] => Sign::Compare(Comparison::AtMost),
        [b'<', ..] => Sign::Compare(Comparison::Less),
        [b'=', ..] => Sign::Compare(Comparison::Equal),
        _ => return None,
    };
    (!key.is_empty()).then_some((key, sign))
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, term) in self.terms.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            if term.negated {
                f.write_str("!")?;
            }
            match &term.test {
                Test::Anywhere(text) => {
                    let bare = !text.starts_with('!') && split_key(text).is_none();
                    write_text(text, bare, f)?;
                }
                Test::Contains(key, text) => {
                    write!(f, "{}:", key.as_str())?;
                    write_text(text, true, f)?;
                }
                Test::Is(key, word) => write!(f, "{}:{word}", key.as_str())?,
                Test::Crate(name) => {
                    write!(f, "{CRATE}:")?;
                    write_text(name, true, f)?;
                }
                Test::Label(key, value) => {
                    write!(f, "{LABEL}:")?;
                    match value {
                        Some(value) => write_text(&format!("{key}={value}"), true, f)?,
                        None => write_text(key, true, f)?,
                    }
                }
                Test::Compare(key, comparison, value) => {
                    write!(f, "{}{}", key.as_str(), comparison.sign())?;
                    key.unit().write(*value, f)?;
                }
            }
        }
        Ok(())
    }
}

impl Comparison {
    const fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Equal => "=",
            Self::AtLeast => ">=",
            Self::More => ">",
        }
    }
}

fn write_text(text: &str, bare: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if bare && !text.starts_with('"') && !text.contains(char::is_whitespace) {
        return f.write_str(text);
    }
    f.write_str("\"")?;
    for letter in text.chars() {
        if matches!(letter, '"' | '\\') {
            f.write_str("\\")?;
        }
        write!(f, "{letter}")?;
    }
    f.write_str("\"")
}
