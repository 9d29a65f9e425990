//! The times of day that a pattern names: its hours, each with all its minutes, each with all its
//! seconds.

use jiff::SignedDuration;
use jiff::civil::Time;

/// At least one time of day, all of whole seconds.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    hours: Set,
    minutes: Set,
    seconds: Set,
    first: Time,
    last: Time,
}

/// Numbers below 64.
#[derive(Clone, Copy, Debug)]
struct Set(u64);

impl Times {
    /// Those with such an hour, minute and second; `None` where there is none.
    pub fn new(hours: &[u16], minutes: &[u16], seconds: &[u16]) -> Option<Self> {
        let [hours, minutes, seconds] = [Set::of(hours)?, Set::of(minutes)?, Set::of(seconds)?];
        Some(Self {
            hours,
            minutes,
            seconds,
            first: time(hours.first()?, minutes.first()?, seconds.first()?)?,
            last: time(hours.last()?, minutes.last()?, seconds.last()?)?,
        })
    }

    pub fn first(self) -> Time {
        self.first
    }

    pub fn last(self) -> Time {
        self.last
    }

    /// The first one at or after a time of day.
    pub fn from(self, at: Time) -> Option<Time> {
        let [hour, minute, second] = parts(at);
        // A fraction of a second is past its second.
        let second = second + u32::from(at.subsec_nanosecond() > 0);
        if self.hours.has(hour) {
            if self.minutes.has(minute)
                && let Some(second) = self.seconds.from(second)
            {
                return time(hour, minute, second);
            }
            if let Some(minute) = self.minutes.from(minute + 1) {
                return time(hour, minute, self.seconds.first()?);
            }
        }
        time(
            self.hours.from(hour + 1)?,
            self.minutes.first()?,
            self.seconds.first()?,
        )
    }

    /// The last one at or before a time of day.
    pub fn to(self, at: Time) -> Option<Time> {
        let [hour, minute, second] = parts(at);
        if self.hours.has(hour) {
            if self.minutes.has(minute)
                && let Some(second) = self.seconds.to(second)
            {
                return time(hour, minute, second);
            }
            if let Some(minute) = self.minutes.below(minute) {
                return time(hour, minute, self.seconds.last()?);
            }
        }
        time(
            self.hours.below(hour)?,
            self.minutes.last()?,
            self.seconds.last()?,
        )
    }

    /// All of them, in order.
    pub fn iter(self) -> impl Iterator<Item = Time> {
        let after = move |last: &Time| {
            let next = last.checked_add(SignedDuration::from_secs(1)).ok()?;
            self.from(next)
        };
        std::iter::successors(Some(self.first), after)
    }
}

impl Set {
    fn of(numbers: &[u16]) -> Option<Self> {
        let bits = (numbers.iter()).fold(0, |bits, number| bits | (1 << (number & 63)));
        (bits != 0).then_some(Self(bits))
    }

    fn has(self, number: u32) -> bool {
        self.0 >> number & 1 == 1
    }

    fn first(self) -> Option<u32> {
        self.from(0)
    }

    fn last(self) -> Option<u32> {
        self.to(63)
    }

    /// The lowest one that is not below `low`.
    fn from(self, low: u32) -> Option<u32> {
        let rest = self.0.checked_shr(low)?;
        (rest != 0).then(|| low + rest.trailing_zeros())
    }

    /// The highest one that is not above `high`, which is below 64.
    fn to(self, high: u32) -> Option<u32> {
        (self.0 << (63 - high))
            .checked_ilog2()
            .map(|from_top| from_top - (63 - high))
    }

    fn below(self, limit: u32) -> Option<u32> {
        self.to(limit.checked_sub(1)?)
    }
}

fn parts(at: Time) -> [u32; 3] {
    [at.hour(), at.minute(), at.second()].map(|part| u32::from(part.unsigned_abs()))
}

fn time(hour: u32, minute: u32, second: u32) -> Option<Time> {
    let part = |value: u32| i8::try_from(value).ok();
    Time::new(part(hour)?, part(minute)?, part(second)?, 0).ok()
}
