"""Files that people give us: sent elsewhere, spoken of here."""
