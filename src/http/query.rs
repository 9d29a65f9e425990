//! The parameters of an address, behind its `?`, as browsers and `curl` write them.

use percent_encoding::percent_decode_str;

use super::refusal::Refusal;
use crate::visible::sanitize;

/// Parameters by their names, in the order of the address.
#[derive(Debug, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads them. A parameter that is not one of `known` is refused: with a misspelled name the
    /// answer would be to another question.
    ///
    /// # Errors
    /// What is wrong with which parameter.
    pub fn parse(text: Option<&str>, known: &[&str]) -> Result<Self, Refusal> {
        let pairs = text.unwrap_or_default().split('&');
        let pairs = pairs.filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decoded(name)?, decoded(value)?))
        });
        let all = pairs.collect::<Result<Vec<_>, Refusal>>()?;
        let mut names = all.iter().map(|(name, _)| name);
        if let Some(unknown) = names.find(|name| !known.contains(&name.as_str())) {
            let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            let there_is = match &known[..] {
                [] => "there is none here".to_owned(),
                known => format!("here it can be {}", known.join(", ")),
            };
            return Err(refused(unknown, &format!("no such parameter: {there_is}")));
        }
        Ok(Self(all))
    }

    /// Every value of a parameter.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.0.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }

    /// The value of a parameter, as `parse` reads it.
    ///
    /// # Errors
    /// It stands there twice, or `parse` refuses it.
    pub fn one<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Refusal> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => match parse(value) {
                Ok(parsed) => Ok(Some(parsed)),
                Err(why) => Err(refused(name, &why)),
            },
            (Some(_), Some(_)) => Err(refused(name, "it is given twice: write it once")),
        }
    }
}

/// Says which parameter is wrong, and the fix.
pub fn refused(name: &str, why: &str) -> Refusal {
    let name = sanitize(name);
    Refusal::bad_request(format!("parameter `{name}`: {why}"))
}

/// As forms encode it: a blank is a plus.
fn decoded(text: &str) -> Result<String, Refusal> {
    let text = text.replace('+', " ");
    let decoded = percent_decode_str(&text).decode_utf8();
    decoded.map(|text| text.into_owned()).map_err(|_| {
        Refusal::bad_request("the parameters are not UTF-8: encode them as UTF-8, then with %")
    })
}

#[cfg(test)]
mod tests;
