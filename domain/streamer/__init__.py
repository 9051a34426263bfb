"""Streamers: who they are to brands, and the accounts on other platforms that they proved to be theirs."""
