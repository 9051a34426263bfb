"""The vendors' other side: servers that speak their wire protocols on loopback, with faults on request."""
