use std::time::Duration;

/// How long a provider may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From the first packet to an open connection, TLS included.
    pub connect: Duration,
    /// One attempt, from its start to the last byte of the answer.
    pub request: Duration,
    /// One call: all attempts, and the pauses between them. Waiting for our own limits does not count.
    pub total: Duration,
}

/// Timeouts that cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeoutError {
    /// One of them is zero.
    #[error("a {0} timeout of zero lets nothing through; give it at least 1 ms")]
    Zero(&'static str),
    /// The inner one is longer than the outer one, which would always come first.
    #[error(
        "the {inner} timeout is longer than the {outer} timeout, so it could never be reached; set \
         connect <= request <= total"
    )]
    Order {
        /// The one within.
        inner: &'static str,
        /// The one around it.
        outer: &'static str,
    },
}

impl Default for Timeouts {
    /// 10 s to connect, 60 s an attempt, 5 minutes a call.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            request: Duration::from_secs(60),
            total: Duration::from_secs(300),
        }
    }
}

impl Timeouts {
    /// Whether they can work.
    ///
    /// # Errors
    /// A timeout of zero; connect longer than request; request longer than total.
    pub fn check(&self) -> Result<(), TimeoutError> {
        let named = [("connect", self.connect), ("request", self.request), ("total", self.total)];
        if let Some((name, _)) = named.iter().find(|(_, timeout)| timeout.is_zero()) {
            return Err(TimeoutError::Zero(name));
        }
        match named.windows(2).find(|pair| pair[0].1 > pair[1].1) {
            Some(pair) => Err(TimeoutError::Order { inner: pair[0].0, outer: pair[1].0 }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_nest() {
        let with = |connect, request, total| {
            let [connect, request, total] = [connect, request, total].map(Duration::from_millis);
            Timeouts { connect, request, total }.check()
        };
        assert_eq!(Timeouts::default().check(), Ok(()));
        assert_eq!(with(1, 1, 1), Ok(()));
        assert_eq!(with(1, 0, 1), Err(TimeoutError::Zero("request")));
        let order = |inner, outer| Err(TimeoutError::Order { inner, outer });
        assert_eq!(with(2, 1, 3), order("connect", "request"));
        assert_eq!(with(1, 4, 3), order("request", "total"));
    }
}
