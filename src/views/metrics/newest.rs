//! The newest report, shown again at each scrape.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;

use super::gauges::Gauges;
use crate::report::Report;

/// The gauges, made from the newest report at each scrape.
#[derive(Clone)]
pub struct Newest {
    report: Arc<Mutex<Option<Arc<Report>>>>,
    described: Vec<Desc>,
}

impl Newest {
    pub fn new() -> Result<Self, prometheus::Error> {
        let described = Gauges::new()?
            .all()
            .into_iter()
            .flat_map(|metric| metric.desc())
            .cloned()
            .collect();
        Ok(Self {
            report: Arc::default(),
            described,
        })
    }

    pub fn set(&self, report: Arc<Report>) {
        *self.report.lock().unwrap_or_else(PoisonError::into_inner) = Some(report);
    }
}

impl Collector for Newest {
    fn desc(&self) -> Vec<&Desc> {
        self.described.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let report = self
            .report
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        // The same constructor succeeded when this collector was made.
        let Ok(gauges) = Gauges::new() else {
            return Vec::new();
        };
        gauges.fill(report.as_deref());
        gauges
            .all()
            .into_iter()
            .flat_map(|metric| metric.collect())
            .collect()
    }
}
