//! An event of tracing's that was taken off the thread on which it happened, to be recorded on
//! another.

use std::fmt;

use tracing::field::{Field, Value, Visit, display};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::queue::Queue;

/// What an event was, with its values as text. The spans around it are not kept: recess has none.
pub(super) struct Record {
    metadata: &'static Metadata<'static>,
    /// One for each of its fields, in their order.
    values: Vec<Option<String>>,
}

impl Record {
    fn of(event: &Event<'_>) -> Self {
        let metadata = event.metadata();
        let mut record = Self {
            metadata,
            values: vec![None; metadata.fields().len()],
        };
        event.record(&mut record);
        record
    }

    /// Lets a subscriber see it as if it had just happened there.
    pub fn replay(&self, subscriber: &impl Subscriber) {
        let values: Vec<_> = self
            .values
            .iter()
            .map(|value| value.as_ref().map(display))
            .collect();
        let values: Vec<Option<&dyn Value>> = (values.iter())
            .map(|value| {
                let value: &dyn Value = value.as_ref()?;
                Some(value)
            })
            .collect();
        let values = self.metadata.fields().value_set_all(&values);
        subscriber.event(&Event::new(self.metadata, &values));
    }

    fn note(&mut self, field: &Field, text: String) {
        if let Some(value) = self.values.get_mut(field.index()) {
            *value = Some(text);
        }
    }
}

impl Visit for Record {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.note(field, value.to_owned());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.note(field, value.to_string());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.note(field, format!("{value:?}"));
    }
}

/// Puts each event into a queue.
pub(super) struct Records(pub Queue<Record>);

impl<S: Subscriber> Layer<S> for Records {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.0.put(Record::of(event));
    }
}

#[cfg(test)]
mod tests;
