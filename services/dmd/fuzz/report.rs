//! What holds for every report, whether it comes from the library or off the wire.

/// The parts of a report that are checked.
pub struct Parts<'a> {
    pub verdict_reason: &'a str,
    pub mean: &'a [f64],
    pub median: &'a [f64],
    pub last: &'a [f64],
    pub t_scores: &'a [f64],
    pub glocal: Option<&'a [f64]>,
    pub spread: Option<&'a [f64]>,
    /// Number of components that have a verdict.
    pub judged: usize,
    /// Share of the window's energy in each mode.
    pub energy_shares: &'a [f64],
}

impl Parts<'_> {
    /// Checks the report on a window with this many components.
    ///
    /// # Panics
    /// When the report does not hang together.
    pub fn check(&self, components: usize) {
        let lengths = [
            self.mean.len(),
            self.median.len(),
            self.last.len(),
            self.t_scores.len(),
            self.judged,
        ];
        assert_eq!(lengths, [components; 5]);
        assert!(
            self.glocal
                .iter()
                .chain(&self.spread)
                .all(|values| values.len() == components)
        );
        assert!(!self.verdict_reason.is_empty());
        assert!(self.t_scores.iter().all(|t| *t >= 0.0));
        assert!(
            self.energy_shares
                .iter()
                .all(|share| (0.0..=1.0 + 1e-9).contains(share))
        );
    }
}
