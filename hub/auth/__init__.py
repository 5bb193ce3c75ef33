"""OAuth 2.0, OpenID Connect and SMART App Launch over HTTP: one file per endpoint."""
