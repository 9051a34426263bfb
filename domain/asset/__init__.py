"""Files that people give us: where they are sent, what they turn out to be, and who may fetch them."""
