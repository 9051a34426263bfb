"""Brands: the company that advertises, the people who act for it, and whether staff found it to be who it says."""
