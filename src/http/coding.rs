//! In which coding a client wants its answer (RFC 9110, 12.5.3).

use axum::http::{HeaderMap, header};

#[cfg(test)]
mod tests;

/// How an answer is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Identity,
    /// By gzip.
    Gzip,
}

impl Coding {
    /// The one that the client prefers; `None` if it takes neither. gzip only if it is named, or `*`
    /// is, and if nothing is preferred to it.
    pub fn asked(headers: &HeaderMap) -> Option<Self> {
        let lists = headers.get_all(header::ACCEPT_ENCODING).iter();
        let texts = lists.filter_map(|list| list.to_str().ok());
        let mut weights = Weights::default();
        for item in texts.flat_map(|list| list.split(',')) {
            weights.note(item);
        }
        let gzip = weights.gzip.or(weights.any).unwrap_or(0);
        match weights.identity.or(weights.any.filter(|any| *any == 0)) {
            _ if gzip == 0 && weights.refuse_identity() => None,
            Some(identity) if identity > gzip => Some(Self::Identity),
            _ if gzip > 0 => Some(Self::Gzip),
            _ => Some(Self::Identity),
        }
    }
}

/// How much a client wants each, from 0 (not at all) to 1000; `None` where it does not say.
#[derive(Default)]
struct Weights {
    gzip: Option<u16>,
    identity: Option<u16>,
    any: Option<u16>,
}

impl Weights {
    /// `gzip;q=0.8`; what is not understood is not asked for.
    fn note(&mut self, item: &str) {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix(['q', 'Q'])?.trim().strip_prefix('='));
        let Some(weight) = weight.map_or(Some(1000), self::weight) else {
            return;
        };
        let place = match &*name {
            "gzip" | "x-gzip" => &mut self.gzip,
            "identity" => &mut self.identity,
            "*" => &mut self.any,
            _ => return,
        };
        *place = Some(weight);
    }

    fn refuse_identity(&self) -> bool {
        self.identity.or(self.any) == Some(0)
    }
}

/// `0.85` as 850: at most three digits after the point, and at most 1.
fn weight(text: &str) -> Option<u16> {
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(part) || part.len() > 3 {
        return None;
    }
    let part: u16 = format!("{part:0<3}").parse().ok()?;
    let whole: u16 = whole.parse().ok()?;
    whole
        .checked_mul(1000)?
        .checked_add(part)
        .filter(|weight| *weight <= 1000)
}
