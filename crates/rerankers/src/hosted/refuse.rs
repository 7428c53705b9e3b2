use super::{OptionError, Options};

/// What adapters ask of options, with errors that say what is allowed.
impl Options {
    /// The model, which an evaluation names: what a provider takes by default changes over time.
    pub(super) fn named_model(&self, examples: &str) -> Result<String, OptionError> {
        let name = self.model.as_deref().map(str::trim);
        match name.filter(|name| !name.is_empty()) {
            Some(name) => Ok(name.to_owned()),
            None => Err(OptionError {
                key: "model",
                found: self.model.as_ref().map(|_| "empty".to_owned()),
                allowed: format!("name one, such as {examples}"),
            }),
        }
    }

    /// Documents a call, from 1 to what `provider` takes.
    pub(super) fn documents_up_to(
        &self,
        most: usize,
        provider: &str,
    ) -> Result<usize, OptionError> {
        match self.documents_per_call {
            None => Ok(most),
            Some(documents) if (1..=most).contains(&documents) => Ok(documents),
            Some(documents) => Err(OptionError {
                key: "documents_per_call",
                found: Some(documents.to_string()),
                allowed: format!("{provider} takes from 1 to {most} documents a call"),
            }),
        }
    }

    /// Refuses `max_tokens_per_doc`; `instead` says what `provider` has in its place.
    pub(super) fn without_max_tokens(
        &self,
        provider: &str,
        instead: &str,
    ) -> Result<(), OptionError> {
        let found = self.max_tokens_per_doc.map(|tokens| tokens.to_string());
        unknown("max_tokens_per_doc", found, provider, instead)
    }

    /// Refuses `truncate`; `instead` says what `provider` does in its place.
    pub(super) fn without_truncate(
        &self,
        provider: &str,
        instead: &str,
    ) -> Result<(), OptionError> {
        let found = self.truncate.map(|truncate| truncate.to_string());
        unknown("truncate", found, provider, instead)
    }
}

fn unknown(
    key: &'static str,
    found: Option<String>,
    provider: &str,
    instead: &str,
) -> Result<(), OptionError> {
    match found {
        None => Ok(()),
        found => Err(OptionError {
            key,
            found,
            allowed: format!("{provider} has no such option ({instead}); leave it out"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_comes_with_what_is_allowed() {
        let options = Options {
            model: Some(" ".to_owned()),
            max_tokens_per_doc: Some(512),
            documents_per_call: Some(0),
            truncate: Some(false),
            region: None,
        };
        let errors = [
            options.named_model("\"rank-1\"").unwrap_err(),
            options.documents_up_to(9, "Acme").unwrap_err(),
            options.without_max_tokens("Acme", "it reads all").unwrap_err(),
            options.without_truncate("Acme", "it reads all").unwrap_err(),
            Options::default().named_model("\"rank-1\"").unwrap_err(),
        ];
        assert_eq!(
            errors.map(|error| error.to_string()),
            [
                "'model' is empty: name one, such as \"rank-1\"",
                "'documents_per_call' is 0: Acme takes from 1 to 9 documents a call",
                "'max_tokens_per_doc' is 512: Acme has no such option (it reads all); leave it out",
                "'truncate' is false: Acme has no such option (it reads all); leave it out",
                "'model' is missing: name one, such as \"rank-1\"",
            ]
        );
    }

    #[test]
    fn documents_a_call_keep_to_the_limit() {
        let up_to = |documents| {
            Options { documents_per_call: documents, ..Options::default() }
                .documents_up_to(9, "Acme")
                .ok()
        };
        assert_eq!(
            [None, Some(1), Some(9), Some(10)].map(up_to),
            [Some(9), Some(1), Some(9), None]
        );
    }
}
