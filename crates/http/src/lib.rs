//! What every HTTP client here needs: timeouts, retries, limits, secrets.
