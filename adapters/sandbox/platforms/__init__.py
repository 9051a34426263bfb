"""What the sandboxes of streaming platforms have in common: channels, codes and grants, the page, faults."""
