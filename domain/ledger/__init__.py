"""The double-entry ledger on paper: what may move where, and what a transaction does to balances."""
