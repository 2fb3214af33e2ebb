//! What those see who run the command from cron, systemd or Airflow: logs and metrics.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod lab;
mod logs;
mod metrics;
