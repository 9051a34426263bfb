"""What minutes come to: reports, evidence, arithmetic and disputes."""
