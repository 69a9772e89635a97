//! Numbers that the rules of the verdict compare with.

/// Thresholds of the verdict. The defaults were chosen on windows whose continuation is known (docs/method.md section 6).
///
/// In the configuration of the service they are the section `verdict`.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "server",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields, default)
)]
pub struct Thresholds {
    /// A component is trusted from this |mean| / sample standard deviation on, if the estimate has the mean's sign and lies
    /// near the rows.
    pub trusted_t_score: f64,
    /// Modes with a larger absolute eigenvalue per inner step grow.
    pub growing_above: f64,
    /// DIVERGING from this share of the energy in growing modes on.
    pub growing_share: f64,
    /// DIVERGING when a row's norm is above this multiple of the median norm of the rows before the window.
    pub spike_ratio: f64,
    /// Number of norms from before the window that the spike test needs.
    pub spike_history: usize,
    /// Modes with | |eigenvalue| - 1 | per inner step below this that are not steady oscillate undamped.
    pub undamped_within: f64,
    /// OSCILLATING above this share of the energy in undamped oscillation.
    pub undamped_share: f64,
    /// A component is trusted up to this distance of its estimate from its rows, over what these span; further where AFFINE
    /// has a clip above its default, in proportion to how far ahead it looks.
    pub overshoot: f64,
    /// Modes with a larger reconstruction error do not explain the window: an estimate that is their sum is trusted up to a
    /// tenth of `overshoot` only.
    pub reconstruction_error: f64,
    /// Modes with a larger condition number are nearly dependent: an estimate that is their sum is not trusted.
    pub mode_condition: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            trusted_t_score: 0.75,
            growing_above: 1.2,
            growing_share: 0.99,
            spike_ratio: 600.0,
            spike_history: 20,
            undamped_within: 0.05,
            undamped_share: 0.5,
            overshoot: 1.0,
            reconstruction_error: 1.0,
            mode_condition: 1e6,
        }
    }
}
