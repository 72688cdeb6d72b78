//! The inspector of an endpoint: what `backlinkd explain` and `backlinkd host` show, read from the running store.

use super::context::RequestContext;
use crate::api::ApiError;
use crate::clock::unix_now;
use crate::inspect::{InspectError, Inspector};
use crate::policy::read_seed_file;
use crate::query::ErrorCode;
use crate::store::SEEDS_FILE;
use crate::urls::CanonicalUrl;

impl RequestContext<'_> {
    /// Inspects the index as it is now, within the deadline. `seeds` are those of [`Self::listed_seeds`], or none where
    /// they are not needed.
    ///
    /// # Errors
    /// [`ApiError::Deadline`]; [`ApiError::Internal`] when the index or a list cannot be read.
    pub fn inspect<T>(
        &self,
        seeds: &[CanonicalUrl],
        inspect: impl FnOnce(&Inspector<'_>) -> Result<T, InspectError>,
    ) -> Result<T, ApiError> {
        let proceed = || self.deadline.check().map_err(|_| InspectError::Interrupted);
        proceed()?;
        let (state, now) = (self.state, unix_now());
        let (config, rules) = (&state.settings, &state.rules);
        Ok(inspect(&Inspector { store: &state.store, config, rules, seeds, now, proceed: &proceed })?)
    }

    /// Reads the list of seeds, if `crawl.stay_on_seed_domains` makes it a reason against a URL. Bad lines are left out.
    ///
    /// # Errors
    /// [`ApiError::Internal`] when the list cannot be read.
    pub fn listed_seeds(&self) -> Result<Vec<CanonicalUrl>, ApiError> {
        let path = self.state.store.directory().join(SEEDS_FILE);
        if !self.state.settings.crawl.stay_on_seed_domains || !path.exists() {
            return Ok(Vec::new());
        }
        Ok(read_seed_file(&path, &self.state.rules)?.0)
    }

    /// Parses a URL or host, as the commands do.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for a missing or unusable value.
    pub fn typed_url(&self, name: &str, advice: &str) -> Result<CanonicalUrl, ApiError> {
        let text = self.params.single(name)?.ok_or_else(|| ApiError::missing(name, advice))?;
        let rules = &self.state.rules;
        rules.parse_typed(text).map_err(|error| {
            ApiError::of_value(name, text, ErrorCode::BadValue, format!("{name} cannot be used: {error}"))
        })
    }
}
