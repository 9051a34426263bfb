"""Brands as their members see them, and as staff does who verifies them."""
