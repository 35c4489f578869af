//! JSON text -> the members of an object, each name once.
//!
//! serde alone takes an array for a struct, the last of two members with one name, and half of a surrogate pair in what
//! it skips. Two readers of one token could then see two different things (RFC 7515, section 4; RFC 8259, sections
//! 4 and 8.2). Headers, claims and keys are all read through this.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// An object's members: name -> the text of its value, or `None` where the name is repeated, so that nobody can say what
/// it stands for.
pub struct Members<'a>(BTreeMap<Cow<'a, str>, Option<&'a RawValue>>);

impl<'a> Members<'a> {
    /// Reads one JSON object and nothing beside it. `None` for everything else.
    pub fn parse(json: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(json).ok()?;
        let members = serde_json::from_str(text).ok()?;
        surrogates_pair(text).then_some(members)
    }

    /// Whether any name is repeated.
    pub fn any_repeated(&self) -> bool {
        self.0.values().any(Option::is_none)
    }

    /// Whether `name` is there, with whatever value, however often.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether there is any of another name than these.
    pub fn any_beside(&self, names: &[&str]) -> bool {
        self.0.keys().any(|name| !names.contains(&&**name))
    }

    /// The value of `name`, if it is there once.
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.get(name).copied().flatten()
    }

    /// The value of `name`, if it is there once and is a text.
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).and_then(text)
    }
}

/// A JSON string's text; `None` for a value of another type.
pub fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    match value.get().strip_prefix('"')?.strip_suffix('"')? {
        text if !text.contains('\\') => Some(Cow::Borrowed(text)),
        _ => serde_json::from_str::<Text>(value.get()).ok().map(|Text(text)| text),
    }
}

/// A JSON string that is copied only where it has escapes.
#[derive(serde::Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Members<'de>, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((Text(name), value)) = object.next_entry::<Text, &RawValue>()? {
                    members.entry(name).and_modify(|value| *value = None).or_insert(Some(value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// Whether every `\uD800`..`\uDFFF` in a valid JSON text is one half of a pair. (A backslash stands only in strings.)
fn surrogates_pair(json: &str) -> bool {
    let mut high = false; // the escape just read was the first half of a pair
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        if high && at != 0 {
            return false;
        }
        let digits = rest.get(at + 1..at + 6).and_then(|escape| escape.strip_prefix('u'));
        let unit = digits.and_then(|hex| u16::from_str_radix(hex, 16).ok());
        let low = matches!(unit, Some(0xDC00..=0xDFFF));
        if high != low {
            return false;
        }
        high = matches!(unit, Some(0xD800..=0xDBFF));
        rest = rest.get(at + if unit.is_some() { 6 } else { 2 }..).unwrap_or_default();
    }
    !high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_object_and_nothing_else() {
        for json in [
            &b""[..],
            b"null",
            b"5",
            b"\"x\"",
            b"[]",
            b"[1,2]",
            b"{",
            b"{}{}",
            b"{} x",
            b"\xef\xbb\xbf{}",
            b"{\"a\":NaN}",
            b"{\"a\":1,}",
            b"{/**/}",
            b"{\"a\":\"\xff\"}",
            b"{a:1}",
            b"{\"a\":01}",
            b"{\"a\":\"\n\"}",
            br#"{"a":"\ud800"}"#,
            br#"{"a":"\udc00"}"#,
            br#"{"a":"\ud800x\udc00"}"#,
            br#"{"a":"\ud800\ud800\udc00"}"#,
            br#"{"a":"\ud800\n"}"#,
            br#"{"\ud800":1}"#,
            br#"{"a":["\uDFFF"]}"#,
            br#"{"a":"\ud83d\ude00\ude00"}"#,
        ] {
            assert!(Members::parse(json).is_none(), "{}", json.escape_ascii());
        }
        for json in [
            &b"{}"[..],
            b" {\"a\" : 1e400 } \n",
            br#"{"a":"\ud83d\ude00"}"#,
            br#"{"a":"\\ud800"}"#,
            br#"{"a":"\u00e9\"\\"}"#,
            br#"{"a":"\ud83d\ude00\ud83d\ude00"}"#,
            br#"{"a":"\\\ud83d\ude00"}"#,
        ] {
            assert!(Members::parse(json).is_some(), "{}", json.escape_ascii());
        }
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(Members::parse(deep.as_bytes()).is_some(), "nesting is skipped, not followed");
    }

    #[test]
    fn a_repeated_name_has_no_value() {
        let members = Members::parse(br#"{"exp":1,"\u0065xp":2,"iss":"\u0069"}"#).expect("an object");
        assert!(members.get("exp").is_none() && members.contains("exp") && members.any_repeated());
        assert_eq!(members.text("iss").as_deref(), Some("i"));
        assert!(members.get("Iss").is_none() && !members.contains("Iss"));
    }
}
