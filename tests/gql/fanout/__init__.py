"""Tests of subscriptions that many follow together."""
